/* What sockets and children cost by io_uring(7), and what by epoll(7), as the hub waits for them.
 *
 *     rings ROW AT_A_TIME OPERATIONS
 *
 * Measures one row of the table at the end, in batches of so many operations.  Prints microseconds of CPU time (of this
 * process, all its threads) and on the clock for each operation, and how many operations a wait brought, epoll_wait()
 * or io_uring_enter().  The other side is another process, which does its part of a batch while the clocks stand, and
 * waits for nothing meanwhile: so no row wakes it, and runs differ little, whatever else the machine does.
 * Exit code 3: the row cannot be measured here, and standard error says why.
 *
 * The ring is used as favourably as a hub could use it: nothing else is waited for, what a turn asks for is submitted
 * by the wait itself, and completions are worked off only there.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


enum {
    SIZE = 1024,      /* bytes of a message */
    MOST = 128,       /* operations at a time */
    ROOM = 64 * 1024, /* what a read by epoll asks for, as the runtime's do */
    NOT_HERE = 3      /* exit code */
};

static int at_a_time;
static long done, waits;
static double cpu, wall; /* seconds */

static void fail(const char *what) {
    fprintf(stderr, "rings: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void not_here(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(NOT_HERE);
}

static int checked(long result, const char *what) {
    if (result < 0) fail(what);
    return (int)result;
}

static void count_time(int sign) { /* -1: from now on, 1: until now */
    struct timespec clock, own;
    clock_gettime(CLOCK_MONOTONIC, &clock);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    wall += sign * ((double)clock.tv_sec + 1e-9 * (double)clock.tv_nsec);
    cpu += sign * ((double)own.tv_sec + 1e-9 * (double)own.tv_nsec);
}

/* epoll */

static int epoll;
static struct epoll_event events[MOST];

static void make_epoll(void) { epoll = checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"); }

static void watch(int fd, unsigned what) {
    struct epoll_event event = {.events = what, .data.fd = fd};
    checked(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static int wait_for_events(void) {
    waits++;
    return checked(epoll_wait(epoll, events, MOST, -1), "epoll_wait");
}

#include "ring.h"

static void wait_for_ring(void) {
    waits++;
    enter(1);
}

/* Sockets */

static int listener, ours[MOST], theirs[MOST];
static struct sockaddr_in address, peer;
static socklen_t peer_size = sizeof peer;

static void listen_here(void) {
    socklen_t length = sizeof address;
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    checked(bind(listener, (struct sockaddr *)&address, length), "bind");
    checked(listen(listener, MOST), "listen");
    checked(getsockname(listener, (struct sockaddr *)&address, &length), "getsockname");
}

static int made_socket(int flags) { /* one whose port is free again as soon as it is closed */
    struct linger none = {.l_onoff = 1};
    int fd = checked(socket(AF_INET, SOCK_STREAM | flags, 0), "socket");
    checked(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none), "setsockopt");
    return fd;
}

static void connect_all(void) {
    for (int i = 0; i < at_a_time; i++) {
        theirs[i] = made_socket(0);
        checked(connect(theirs[i], (struct sockaddr *)&address, sizeof address), "connect");
    }
}

static void accept_all(int flags) {
    for (int i = 0; i < at_a_time; i++) ours[i] = checked(accept4(listener, NULL, NULL, flags), "accept4");
}

/* Echo: each of the connections brings a message, which is sent back */

static char messages[2 * MOST][SIZE];

static void whole(ssize_t count, const char *what) {
    errno = count < 0 ? errno : EMSGSIZE;
    if (count != SIZE) fail(what);
}

static void send_all(void) {
    for (int i = 0; i < at_a_time; i++) whole(send(theirs[i], messages, SIZE, MSG_NOSIGNAL), "send");
}

static void receive_all(void) {
    for (int i = 0; i < at_a_time; i++) whole(recv(theirs[i], messages, SIZE, MSG_WAITALL), "recv");
}

static void echo_epoll(void) {
    connect_all();
    accept_all(SOCK_NONBLOCK);
    for (int i = 0; i < at_a_time; i++) watch(ours[i], EPOLLIN | EPOLLRDHUP | EPOLLET);
}

static void echo_epoll_turn(void) {
    static char room[ROOM];
    for (int i = wait_for_events(); i--; done++) {
        whole(recv(events[i].data.fd, room, ROOM, 0), "recv");
        whole(send(events[i].data.fd, room, SIZE, MSG_NOSIGNAL), "send");
    }
}

static void ask_to_send(int which, int slot) {
    ask((struct io_uring_sqe){.opcode = IORING_OP_SEND, .fd = ours[which], .addr = at(messages[slot]), .len = SIZE,
                              .msg_flags = MSG_NOSIGNAL, .user_data = MOST + (unsigned)slot});
}

static void ask_to_receive(int which, int slot) {
    ask((struct io_uring_sqe){.opcode = IORING_OP_RECV, .fd = ours[which], .addr = at(messages[slot]), .len = SIZE,
                              .user_data = (unsigned)which});
}

static void echo_ring(void) {
    connect_all();
    accept_all(0);
    for (int i = 0; i < at_a_time; i++) ask_to_receive(i, 2 * i);
}

static void echo_ring_turn(void) {
    static int other[MOST]; /* which of its two messages a connection receives */
    struct io_uring_cqe next;
    for (wait_for_ring(); completed(&next, "recv", "needs Linux 5.6");) {
        int which = (int)next.user_data;
        whole(next.res, "recv or send");
        if (which >= MOST) {
            done++;
        } else {
            ask_to_send(which, 2 * which + other[which]);
            other[which] ^= 1;
            ask_to_receive(which, 2 * which + other[which]);
        }
    }
}

static struct io_uring_buf_ring *room; /* all messages, for whichever connection brings something */

static void give_back(int slot) {
    struct io_uring_buf *place = &room->bufs[room->tail & (2 * MOST - 1)];
    place->addr = at(messages[slot]);
    place->len = SIZE;
    place->bid = (__u16)slot;
    __atomic_store_n(&room->tail, room->tail + 1, __ATOMIC_RELEASE);
}

static void echo_multishot(void) {
    room = mmap(NULL, 2 * MOST * sizeof *room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct io_uring_buf_reg given = {.ring_addr = at(room), .ring_entries = 2 * MOST};
    if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_PBUF_RING, &given, 1) < 0)
        not_here("multishot recv: needs Linux 6.0, and buffers provided", strerror(errno));
    for (int slot = 0; slot < 2 * MOST; slot++) give_back(slot);
    connect_all();
    accept_all(0);
    for (int i = 0; i < at_a_time; i++)
        ask((struct io_uring_sqe){.opcode = IORING_OP_RECV, .flags = IOSQE_BUFFER_SELECT, .fd = ours[i],
                                  .ioprio = IORING_RECV_MULTISHOT, .user_data = (unsigned)i});
}

static void echo_multishot_turn(void) {
    struct io_uring_cqe next;
    for (wait_for_ring(); completed(&next, "multishot recv", "needs Linux 6.0");) {
        whole(next.res, "recv or send");
        if (next.user_data >= MOST) {
            give_back((int)next.user_data - MOST);
            done++;
        } else {
            if (!(next.flags & IORING_CQE_F_MORE)) fail("multishot recv ended");
            ask_to_send((int)next.user_data, (int)(next.flags >> IORING_CQE_BUFFER_SHIFT));
        }
    }
}

/* Accept: short connections, accepted with the peer's address and closed */

static void wait_for_all(void) {
    for (int i = 0; i < at_a_time; i++) {
        checked(recv(theirs[i], messages, 1, 0), "recv");
        close(theirs[i]);
    }
}

static void accepted(int fd) {
    close(fd);
    peer_size = sizeof peer;
    done++;
}

static int accept_one(void) {
    return accept4(listener, (struct sockaddr *)&peer, &peer_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void accept_edge(void) {
    checked(fcntl(listener, F_SETFL, O_NONBLOCK), "fcntl");
    watch(listener, EPOLLIN | EPOLLET);
}

static void accept_edge_turn(void) { /* until there is none: that last call costs as much as another connection's */
    wait_for_events();
    for (int fd; (fd = accept_one()) >= 0;) accepted(fd);
    if (errno != EAGAIN) fail("accept4");
}

static void accept_level(void) { watch(listener, EPOLLIN); }

static void accept_level_turn(void) {
    wait_for_events();
    accepted(checked(accept_one(), "accept4"));
}

static void accept_ring(void) {
    ask((struct io_uring_sqe){.opcode = IORING_OP_ACCEPT, .fd = listener, .addr = at(&peer), .addr2 = at(&peer_size),
                              .accept_flags = SOCK_NONBLOCK | SOCK_CLOEXEC});
}

static void accept_ring_turn(void) {
    struct io_uring_cqe next;
    for (wait_for_ring(); completed(&next, "accept", "needs Linux 5.5"); accept_ring()) accepted(next.res);
}

static void accept_multishot(void) {
    ask((struct io_uring_sqe){.opcode = IORING_OP_ACCEPT, .ioprio = IORING_ACCEPT_MULTISHOT, .fd = listener,
                              .accept_flags = SOCK_NONBLOCK | SOCK_CLOEXEC});
}

static void accept_multishot_turn(void) { /* which does not say who the peer is */
    struct io_uring_cqe next;
    for (wait_for_ring(); completed(&next, "multishot accept", "needs Linux 5.19"); accepted(next.res)) {
        if (!(next.flags & IORING_CQE_F_MORE)) fail("multishot accept ended");
        checked(getpeername(next.res, (struct sockaddr *)&peer, &peer_size), "getpeername");
    }
}

/* Connect: sockets made, connected and closed */

static void accept_and_close(void) {
    accept_all(0);
    for (int i = 0; i < at_a_time; i++) close(ours[i]);
}

static void connect_epoll(void) {
    for (int i = 0; i < at_a_time; i++) {
        int fd = made_socket(SOCK_NONBLOCK);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno != EINPROGRESS) fail("connect");
        watch(fd, EPOLLOUT | EPOLLET);
    }
}

static void connect_epoll_turn(void) {
    int error;
    socklen_t size = sizeof error;
    for (int i = wait_for_events(); i--; done++) {
        checked(getsockopt(events[i].data.fd, SOL_SOCKET, SO_ERROR, &error, &size), "getsockopt");
        if ((errno = error)) fail("connect");
        close(events[i].data.fd);
    }
}

static void connect_ring(void) {
    for (int i = 0; i < at_a_time; i++) {
        int fd = made_socket(0);
        ask((struct io_uring_sqe){.opcode = IORING_OP_CONNECT, .fd = fd, .addr = at(&address), .off = sizeof address,
                                  .user_data = (unsigned)fd});
    }
}

static void connect_ring_turn(void) {
    struct io_uring_cqe next;
    for (wait_for_ring(); completed(&next, "connect", "needs Linux 5.5"); done++) close((int)next.user_data);
}

/* Child: the end of a process waited for, and the process collected; that it is made and ends does not count */

static pid_t children[MOST];
static int lives[2]; /* a pipe: children live until it is closed */
static siginfo_t ends[MOST];

static void start_children(void) {
    count_time(1);
    checked(pipe(lives), "pipe");
    for (int i = 0; i < at_a_time; i++) {
        children[i] = checked(fork(), "fork");
        if (children[i]) continue;
        close(lives[1]);
        _exit(read(lives[0], messages, 1) != 0);
    }
    count_time(-1);
}

static void end_children(void) {
    count_time(1);
    close(lives[0]);
    close(lives[1]);
    for (int i = 0; i < at_a_time; i++) checked(waitid(P_PID, (id_t)children[i], ends, WEXITED | WNOWAIT), "waitid");
    count_time(-1);
}

static void collected(const siginfo_t *end) {
    if (end->si_code != CLD_EXITED || end->si_status) fail("a child's end");
    done++;
}

static void child_blocking(void) {
    start_children();
    end_children();
}

static void child_blocking_turn(void) {
    waits++;
    checked(waitid(P_PID, (id_t)children[done % at_a_time], ends, WEXITED), "waitid");
    collected(ends);
}

static void child_epoll(void) {
    start_children();
    for (int i = 0; i < at_a_time; i++)
        watch(checked(syscall(SYS_pidfd_open, children[i], 0), "pidfd_open"), EPOLLIN | EPOLLET);
    end_children();
}

static void child_epoll_turn(void) {
    for (int i = wait_for_events(); i--; collected(ends)) {
        checked(waitid(P_PIDFD, (id_t)events[i].data.fd, ends, WEXITED), "waitid");
        close(events[i].data.fd);
    }
}

static void child_ring(void) {
    start_children();
    for (int i = 0; i < at_a_time; i++)
        ask((struct io_uring_sqe){.opcode = WAITID, .fd = children[i], .len = P_PID, .file_index = WEXITED,
                                  .addr2 = at(&ends[i]), .user_data = (unsigned)i});
    enter(0);
    end_children();
}

static void child_ring_turn(void) {
    struct io_uring_cqe next;
    for (wait_for_ring(); completed(&next, "waitid", "needs Linux 6.7"); collected(&ends[next.user_data])) {}
}

/* The table */

static void nothing(void) {}

static const struct row {
    const char *name;
    void (*queue)(void), (*prepare)(void); /* once */
    void (*before)(void), (*after)(void);  /* the other side's part of a batch */
    void (*begin)(void), (*turn)(void);    /* ours: what it begins with, and what one wait brings, until all is done */
} rows[] = {
    {"echo-epoll", make_epoll, echo_epoll, send_all, receive_all, nothing, echo_epoll_turn},
    {"echo-ring", make_ring, echo_ring, send_all, receive_all, nothing, echo_ring_turn},
    {"echo-multishot", make_ring, echo_multishot, send_all, receive_all, nothing, echo_multishot_turn},
    {"accept-edge", make_epoll, accept_edge, connect_all, wait_for_all, nothing, accept_edge_turn},
    {"accept-level", make_epoll, accept_level, connect_all, wait_for_all, nothing, accept_level_turn},
    {"accept-ring", make_ring, accept_ring, connect_all, wait_for_all, nothing, accept_ring_turn},
    {"accept-multishot", make_ring, accept_multishot, connect_all, wait_for_all, nothing, accept_multishot_turn},
    {"connect-epoll", make_epoll, nothing, nothing, accept_and_close, connect_epoll, connect_epoll_turn},
    {"connect-ring", make_ring, nothing, nothing, accept_and_close, connect_ring, connect_ring_turn},
    {"child-blocking", nothing, nothing, nothing, nothing, child_blocking, child_blocking_turn},
    {"child-epoll", make_epoll, nothing, nothing, nothing, child_epoll, child_epoll_turn},
    {"child-ring", make_ring, nothing, nothing, nothing, child_ring, child_ring_turn},
};

static int cue[2]; /* a byte to the other side asks for a batch, a byte from it says that it is ready */

static pid_t start_other_side(const struct row *row) {
    pid_t parent = getpid(), pid = checked(fork(), "fork");
    close(cue[pid ? 1 : 0]);
    if (pid) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int batch = 0; getppid() == parent && read(cue[1], messages, 1) == 1; batch++) {
        if (batch) row->after();
        row->before();
        checked(write(cue[1], "", 1), "write");
    }
    _exit(1);
}

static void work_off(const struct row *row, long operations) {
    for (long until = done + operations; done < until;) {
        long batch = done + at_a_time;
        checked(send(cue[0], "", 1, MSG_NOSIGNAL), "the other side");
        if (read(cue[0], messages, 1) != 1) fail("the other side");
        count_time(-1);
        for (row->begin(); done < batch;) row->turn();
        count_time(1);
    }
}

int main(int argc, char **argv) {
    const struct row *row = NULL;
    for (size_t i = 0; argc == 4 && i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, argv[1])) row = &rows[i];
    at_a_time = row ? atoi(argv[2]) : 0;
    long operations = row ? atol(argv[3]) : 0;
    if (at_a_time < 1 || at_a_time > MOST || operations < 1) {
        fprintf(stderr, "usage: rings ROW AT_A_TIME OPERATIONS, with at most %d at a time\n", MOST);
        return 2;
    }
    row->queue();
    listen_here();
    row->prepare();
    checked(socketpair(AF_UNIX, SOCK_STREAM, 0, cue), "socketpair");
    pid_t other_side = start_other_side(row);
    work_off(row, operations / 10); /* to warm up */
    cpu = wall = 0;
    done = waits = 0;
    work_off(row, operations);
    kill(other_side, SIGKILL);
    double each = 1e6 / (double)done, a_wait = (double)done / (double)waits;
    printf("{\"cpu\": %.4f, \"wall\": %.4f, \"a_wait\": %.2f}\n", cpu * each, wall * each, a_wait);
    return 0;
}
