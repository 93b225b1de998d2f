/* transmission.py in C: system calls that never wait, without an exception where they would have.

   They keep the GIL: none of them sleeps, and to give it back and take it again would cost a tenth of the call. */

#ifndef UNSTALL_TRANSMISSION_H
#define UNSTALL_TRANSMISSION_H

#include <Python.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/types.h>

#define UNSTALL_PIECE 65536 /* bytes up to which a message goes through a buffer of ours, to be copied at its size */

static char unstall_piece[UNSTALL_PIECE]; /* guarded by the GIL */
static PyObject *unstall_fileno;

/* The descriptor of a `_socket.socket`; -2 with an exception. */
static inline int unstall_descriptor(PyObject *sock)
{
    if (!unstall_fileno) {
        PyObject *module = PyImport_ImportModule("_socket");
        PyObject *type = module ? PyObject_GetAttrString(module, "socket") : NULL;
        Py_XDECREF(module);
        if (!type)
            return -2;
        unstall_fileno = PyObject_GetAttrString(type, "fileno");
        Py_DECREF(type);
        if (!unstall_fileno)
            return -2;
    }
    PyObject *number = PyObject_Vectorcall(unstall_fileno, &sock, 1, NULL);
    if (!number)
        return -2;
    long fd = PyLong_AsLong(number);
    Py_DECREF(number);
    return fd == -1 && PyErr_Occurred() ? -2 : (int)fd;
}

/* After a call that failed: 1 to make it again, 0 if it would have waited, -1 with an exception. */
static inline int unstall_failed(void)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return 0;
    if (errno == EINTR)
        return PyErr_CheckSignals() ? -1 : 1;
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

/* Send or receive; how many bytes, -1 if it would have waited, -2 with an exception. */
static inline Py_ssize_t unstall_repeated(int fd, void *place, size_t size, int flags, int sends)
{
    for (;;) {
        ssize_t done = sends ? send(fd, place, size, flags) : recv(fd, place, size, flags);
        int again = done >= 0 ? 0 : unstall_failed();
        if (again > 0)
            continue;
        return done >= 0 ? done : again == 0 ? -1 : -2;
    }
}

static PyObject *unstall_receive(PyObject *sock, Py_ssize_t size, int flags)
{
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffersize in recv");
        return NULL;
    }
    int fd = unstall_descriptor(sock);
    if (fd == -2)
        return NULL;
    PyObject *data = NULL;
    char *place = unstall_piece;
    if (size > UNSTALL_PIECE) {
        data = PyBytes_FromStringAndSize(NULL, size);
        if (!data)
            return NULL;
        place = PyBytes_AS_STRING(data);
    }
    Py_ssize_t got = unstall_repeated(fd, place, (size_t)size, flags, 0);
    if (got < 0) {
        Py_XDECREF(data);
        return got == -1 ? Py_NewRef(Py_None) : NULL;
    }
    if (!data)
        return PyBytes_FromStringAndSize(unstall_piece, got);
    if (got != size)
        _PyBytes_Resize(&data, got);
    return data;
}

static Py_ssize_t unstall_receive_into(PyObject *sock, PyObject *buffer, Py_ssize_t size, int flags)
{
    Py_buffer view;
    if (PyObject_GetBuffer(buffer, &view, PyBUF_WRITABLE) < 0) {
        if (PyErr_ExceptionMatches(PyExc_BufferError) || PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "recv_into() argument 1 must be read-write bytes-like object, not %.50s",
                         buffer == Py_None ? "None" : Py_TYPE(buffer)->tp_name);
        return -2;
    }
    Py_ssize_t result = -2;
    int fd;
    if (size < 0)
        PyErr_SetString(PyExc_ValueError, "negative buffersize in recv_into");
    else if (size > view.len)
        PyErr_SetString(PyExc_ValueError, "buffer too small for requested bytes");
    else if ((fd = unstall_descriptor(sock)) != -2)
        result = unstall_repeated(fd, view.buf, (size_t)(size ? size : view.len), flags, 0);
    PyBuffer_Release(&view);
    return result;
}

static Py_ssize_t unstall_send(PyObject *sock, PyObject *data, int flags)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return -2;
    Py_ssize_t result = -2;
    int fd = unstall_descriptor(sock);
    if (fd != -2)
        result = unstall_repeated(fd, view.buf, (size_t)view.len, flags, 1);
    PyBuffer_Release(&view);
    return result;
}

#endif
