/* The floor: an echo server in C on level-triggered epoll, in one thread.  Takes no arguments, prints its address.
 * Compiled with -DTLS it speaks TLS by OpenSSL, and takes the files of a certificate and of its key.
 *
 * It has no buffers per connection: what cannot be sent at once is waited for with poll(), which a closed loop of
 * requests smaller than the socket buffers never needs.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef TLS
#include <openssl/ssl.h>
#endif

enum { BATCH = 512, CHUNK = 64 * 1024 };

static void fail(const char *what) {
    perror(what);
    exit(1);
}

#ifdef TLS
static SSL_CTX *context;
static SSL **connections; /* by descriptor */

static void prepare(char **files, size_t descriptors) {
    context = SSL_CTX_new(TLS_server_method());
    connections = calloc(descriptors, sizeof *connections);
    if (!context || !connections || SSL_CTX_use_certificate_chain_file(context, files[0]) != 1
        || SSL_CTX_use_PrivateKey_file(context, files[1], SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "echo_epoll: no certificate, or no key for it\n");
        exit(1);
    }
}

static void begin(int fd) { /* the handshake comes with the first read */
    if (!(connections[fd] = SSL_new(context)) || !SSL_set_fd(connections[fd], fd)) fail("SSL_new");
    SSL_set_accept_state(connections[fd]);
}

static void end(int fd) {
    SSL_free(connections[fd]);
    close(fd);
}

static ssize_t result(int fd, int n) { /* as send() and recv() say it */
    if (n > 0) return n;
    int error = SSL_get_error(connections[fd], n);
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return error == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

/* One record, whole: the next one is left to the kernel, which reports it again. */
static ssize_t take(int fd, char *chunk) { return result(fd, SSL_read(connections[fd], chunk, CHUNK)); }

static ssize_t give(int fd, const char *data, size_t size) {
    return result(fd, SSL_write(connections[fd], data, (int)size));
}
#else
static void prepare(char **files, size_t descriptors) { (void)files, (void)descriptors; }
static void begin(int fd) { (void)fd; }
static void end(int fd) { close(fd); }
static ssize_t take(int fd, char *chunk) { return recv(fd, chunk, CHUNK, 0); }
static ssize_t give(int fd, const char *data, size_t size) { return send(fd, data, size, MSG_NOSIGNAL); }
#endif

static int echo(int fd, char *chunk) { /* 0: the connection is over */
    ssize_t got = take(fd, chunk);
    if (got < 0) return errno == EAGAIN;
    for (ssize_t sent = 0; sent < got;) {
        ssize_t n = give(fd, chunk + sent, (size_t)(got - sent));
        if (n >= 0) {
            sent += n;
        } else if (errno == EAGAIN) {
            struct pollfd writable = {.fd = fd, .events = POLLOUT};
            poll(&writable, 1, -1);
        } else {
            return 0;
        }
    }
    return got > 0;
}

int main(int count, char **words) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    signal(SIGPIPE, SIG_IGN);
#ifdef TLS
    const int files = 2;
#else
    const int files = 0;
#endif
    if (count != 1 + files) {
        fprintf(stderr, "usage: echo_epoll%s\n", files ? " CERTIFICATE KEY" : "");
        return 2;
    }
    prepare(words + 1, limit.rlim_cur);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1024)) fail("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length)) fail("getsockname");
    printf("listening on 127.0.0.1 port %d\n", ntohs(address.sin_port));
    fflush(stdout);

    static char chunk[CHUNK];
    struct epoll_event events[BATCH], event = {.events = EPOLLIN, .data.fd = listener};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, BATCH, -1);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd != listener) {
                if (!echo(fd, chunk)) end(fd);
                continue;
            }
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                begin(fd);
                event.data.fd = fd;
                epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
            }
        }
    }
}
