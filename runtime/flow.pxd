cimport cython
from runtime cimport here, transmission
from runtime.hub cimport Hub
from runtime.watch cimport Watch

cdef int READ, WRITE, _DONTWAIT, _PEEK, _WAITALL

cdef class Flow:
    cdef public bint stream
    cdef public object timeout
    cdef public Watch watch
    cdef public list watches

    @cython.locals(watch=Watch, known=Watch)
    cpdef Watch watch_in(self, Hub hub, sock)
    @cython.locals(hub=Hub)
    cpdef bint until(self, sock, int mask, deadline) except -1
    cdef bint polls(self) except -1
    cpdef deadline(self)
    @cython.locals(watch=Watch)
    cpdef drained(self)

@cython.locals(flow=Flow, watch=Watch)
cpdef recv(self, Py_ssize_t bufsize, int flags=*)
@cython.locals(flow=Flow, watch=Watch, count=Py_ssize_t)
cpdef recv_into(self, buffer, Py_ssize_t nbytes=*, int flags=*)
@cython.locals(count=Py_ssize_t)
cpdef Py_ssize_t wait_and_recv_into(self, Flow flow, buffer, Py_ssize_t nbytes, int flags) except -2
cpdef Py_ssize_t size(buffer) except -1
@cython.locals(flow=Flow, sent=Py_ssize_t)
cpdef send(self, data, int flags=*)
@cython.locals(flow=Flow, sent=Py_ssize_t, more=Py_ssize_t, total=Py_ssize_t)
cpdef send_rest(self, data, Py_ssize_t sent, int flags)
@cython.locals(flow=Flow, sent=Py_ssize_t, more=Py_ssize_t, total=Py_ssize_t)
cpdef sendall(self, data, int flags=*)
@cython.locals(watch=Watch, count=Py_ssize_t)
cpdef Py_ssize_t try_recv_into(self, Flow flow, buffer) except -2
cpdef Py_ssize_t try_send(self, data) except -2
