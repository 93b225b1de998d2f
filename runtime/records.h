/* records.py in C: the calls of `_ssl._SSLSocket`, without an exception where they would have waited. */

#ifndef UNSTALL_RECORDS_H
#define UNSTALL_RECORDS_H

#include <Python.h>
#include <sys/ioctl.h>

#define UNSTALL_READ 0x1 /* the bits of runtime/backends */
#define UNSTALL_WRITE 0x4

static PyObject *unstall_read_method, *unstall_write_method, *unstall_wants_read, *unstall_wants_write;

/* Look up, once, what is called and caught below. */
static int unstall_records_begin(void)
{
    PyObject *module = PyImport_ImportModule("_ssl");
    PyObject *type = module ? PyObject_GetAttrString(module, "_SSLSocket") : NULL;
    if (type) {
        unstall_read_method = PyObject_GetAttrString(type, "read");
        unstall_write_method = PyObject_GetAttrString(type, "write");
        unstall_wants_read = PyObject_GetAttrString(module, "SSLWantReadError");
        unstall_wants_write = PyObject_GetAttrString(module, "SSLWantWriteError"); /* last: says that all are there */
        Py_DECREF(type);
    }
    Py_XDECREF(module);
    return unstall_read_method && unstall_write_method && unstall_wants_read && unstall_wants_write ? 0 : -1;
}

#define UNSTALL_RECORDS_READY() (unstall_wants_write != NULL || unstall_records_begin() == 0)

/* What a call that raised waits for; 0 leaves the exception. */
static inline int unstall_caught(void)
{
    int mask = PyErr_ExceptionMatches(unstall_wants_read)    ? UNSTALL_READ
               : PyErr_ExceptionMatches(unstall_wants_write) ? UNSTALL_WRITE
                                                             : 0;
    if (mask)
        PyErr_Clear();
    return mask;
}

static inline PyObject *unstall_record_read(PyObject *connection, PyObject *size, PyObject *buffer)
{
    PyObject *arguments[] = {connection, size, buffer};
    if (!UNSTALL_RECORDS_READY())
        return NULL;
    PyObject *got = PyObject_Vectorcall(unstall_read_method, arguments, buffer == Py_None ? 2 : 3, NULL);
    if (got)
        return got;
    int mask = unstall_caught();
    return mask ? PyLong_FromLong(-mask) : NULL;
}

static inline int unstall_record_wanted(PyObject *got)
{
    return PyLong_CheckExact(got) ? (int)Py_MAX(-PyLong_AsLong(got), 0) : 0;
}

static inline Py_ssize_t unstall_record_write(PyObject *connection, PyObject *data)
{
    PyObject *arguments[] = {connection, data};
    if (!UNSTALL_RECORDS_READY())
        return -2;
    PyObject *sent = PyObject_Vectorcall(unstall_write_method, arguments, 2, NULL);
    if (!sent) {
        int mask = unstall_caught();
        return mask ? -mask : -2;
    }
    Py_ssize_t count = PyLong_AsSsize_t(sent);
    Py_DECREF(sent);
    return count;
}

static inline int unstall_record_nothing(int fd)
{
    int count = 0;
    return ioctl(fd, FIONREAD, &count) == 0 && count == 0;
}

#endif
