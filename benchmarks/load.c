/* The load for the server benchmarks: a closed loop over many connections, on epoll, in one thread.
 *
 *     load HOST PORT CONNECTIONS WARMUP MESSAGES REQUEST_BYTES REPLY_BYTES
 *
 * The request is read from standard input.  Every connection sends it, waits for REPLY_BYTES, and sends it again,
 * until WARMUP requests have been answered; then "ready" is printed and a line awaited, and the same is done with
 * MESSAGES; then the seconds it took are printed.  REPLY_BYTES 0 means a connection per request: the reply ends where
 * the server closes.  In C so that the fastest peer is measured and not the load; load.py says the same in Python.
 *
 * Compiled with -DTLS it speaks TLS on connections that stay open, and takes any certificate.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef TLS
#include <openssl/ssl.h>
#endif

enum {
    BATCH = 512,
    BUFFER = 256 * 1024,
    PER_ADDRESS = 8000 /* connections from one of the loopback's addresses: each has about 28,000 ports */
};

struct connection {
    int fd;      /* -1: closed */
    int busy;    /* a request is under way */
    int writing; /* EPOLLOUT is asked for */
    size_t sent, got;
#ifdef TLS
    SSL *tls;
#endif
};

static struct sockaddr_in address;
static struct connection *connections;
static char *request, buffer[BUFFER];
static size_t request_bytes, reply_bytes;
static long count, unsent, unanswered;
static int epoll;

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(struct connection *c, int operation, int writing) {
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(epoll, operation, c->fd, &event)) fail("epoll_ctl");
    c->writing = writing;
}

#ifdef TLS
static void shake_hands(struct connection *c) {
    static SSL_CTX *context;
    if (!context) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    c->tls = SSL_new(context);
    if (!c->tls || !SSL_set_fd(c->tls, c->fd) || SSL_connect(c->tls) != 1) {
        fprintf(stderr, "load: the TLS handshake failed\n");
        exit(1);
    }
    fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
}

static ssize_t result(struct connection *c, int n) { /* as send() and recv() say it */
    if (n > 0) return n;
    switch (SSL_get_error(c->tls, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        fprintf(stderr, "load: TLS failed\n");
        exit(1);
    }
}

static ssize_t give(struct connection *c, const char *data, size_t size) {
    return result(c, SSL_write(c->tls, data, (int)size));
}

/* A record is never larger than the buffer: what one event announced is never left inside OpenSSL. */
static ssize_t take(struct connection *c) { return result(c, SSL_read(c->tls, buffer, BUFFER)); }
#else
static void shake_hands(struct connection *c) { (void)c; }

static ssize_t give(struct connection *c, const char *data, size_t size) {
    return send(c->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t take(struct connection *c) { return recv(c->fd, buffer, BUFFER, MSG_DONTWAIT); }
#endif

static void open_connection(struct connection *c, int blocking) {
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | (blocking ? 0 : SOCK_NONBLOCK), 0);
    if (c->fd < 0) fail("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (count > PER_ADDRESS) {
        struct sockaddr_in own = {.sin_family = AF_INET};
        own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)((c - connections) / PER_ADDRESS));
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(c->fd, (struct sockaddr *)&own, sizeof own)) fail("bind");
    }
    if (reply_bytes) { /* the load closes first: that must not keep its ports for a minute */
        struct linger none = {.l_onoff = 1};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) fail("connect");
    if (blocking) shake_hands(c);
    watch(c, EPOLL_CTL_ADD, !blocking);
}

static void push(struct connection *c) { /* send as much of the request as goes */
    while (c->sent < request_bytes) {
        ssize_t n = give(c, request + c->sent, request_bytes - c->sent);
        if (n >= 0) {
            c->sent += (size_t)n;
        } else if (errno == EAGAIN || errno == ENOTCONN) {
            if (!c->writing) watch(c, EPOLL_CTL_MOD, 1);
            return;
        } else {
            fail("send");
        }
    }
    if (c->writing) watch(c, EPOLL_CTL_MOD, 0);
}

static void begin(struct connection *c) { /* the next request, if one is left */
    if (!unsent) return;
    unsent--;
    c->sent = c->got = 0;
    c->busy = 1;
    if (c->fd < 0) open_connection(c, 0);
    else push(c);
}

static void answered(struct connection *c) {
    c->busy = 0;
    unanswered--;
    begin(c);
}

static void pull(struct connection *c) {
    ssize_t n = take(c);
    if (n < 0) {
        if (errno == EAGAIN) return;
        fail("recv");
    }
    if (n == 0) {
        if (reply_bytes || !c->busy || !c->got) {
            fprintf(stderr, "load: the server closed a connection\n");
            exit(1);
        }
        close(c->fd);
        c->fd = -1;
        answered(c);
        return;
    }
    c->got += (size_t)n;
    if (reply_bytes && c->got == reply_bytes) answered(c);
    else if (reply_bytes && c->got > reply_bytes) {
        fprintf(stderr, "load: %zu bytes came where %zu were due\n", c->got, reply_bytes);
        exit(1);
    }
}

static void run(long messages) {
    struct epoll_event events[BATCH];
    unsent = unanswered = messages;
    for (long i = 0; i < count; i++) begin(&connections[i]);
    while (unanswered) {
        int ready = epoll_wait(epoll, events, BATCH, 30000);
        if (ready < 0) {
            if (errno == EINTR) continue;
            fail("epoll_wait");
        }
        if (!ready) {
            fprintf(stderr, "load: nothing came for 30 s, %ld of %ld requests unanswered\n", unanswered, messages);
            exit(1);
        }
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT && c->busy) push(c);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) pull(c);
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 8) {
        fprintf(stderr, "usage: load HOST PORT CONNECTIONS WARMUP MESSAGES REQUEST_BYTES REPLY_BYTES < REQUEST\n");
        return 2;
    }
    address.sin_family = AF_INET;
    if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) fail("inet_pton");
    address.sin_port = htons((unsigned short)atoi(argv[2]));
    count = atol(argv[3]);
    long warmup = atol(argv[4]), messages = atol(argv[5]);
    request_bytes = (size_t)atol(argv[6]);
    reply_bytes = (size_t)atol(argv[7]);

    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    request = malloc(request_bytes);
    connections = calloc((size_t)count, sizeof *connections);
    if (!request || !connections) fail("malloc");
    for (size_t n = 0; n < request_bytes;) {
        ssize_t got = read(0, request + n, request_bytes - n);
        if (got <= 0) fail("read");
        n += (size_t)got;
    }
    epoll = epoll_create1(EPOLL_CLOEXEC);
    for (long i = 0; i < count; i++) {
        connections[i].fd = -1;
        if (reply_bytes) open_connection(&connections[i], 1);
    }
    run(warmup);
    puts("ready");
    fflush(stdout);
    if (read(0, buffer, 1) != 1) return 1; /* the measuring process is gone */

    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    run(messages);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("%.9f\n", (double)(ended.tv_sec - began.tv_sec) + 1e-9 * (double)(ended.tv_nsec - began.tv_nsec));
    return 0;
}
