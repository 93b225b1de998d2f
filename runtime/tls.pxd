cimport cython
from runtime cimport here, primitives, records
from runtime.flow cimport Flow
from runtime.hub cimport Hub
from runtime.lock cimport Lock
from runtime.strand cimport Strand
from runtime.watch cimport Watch

cdef class SecureFlow(Flow):
    cdef public object connection, latch, unsent
    cdef public unsigned long holder
    cdef public Lock turn
    cdef public list crossing
    cdef public bint direct, quiet, rest, timed_out

    cpdef begin(self, connection, bint direct)
    cdef bint enter(self) except -1
    cdef leave(self)
    @cython.locals(entered=bint)
    cdef read(self, connection, size, buffer)
    @cython.locals(entered=bint)
    cdef Py_ssize_t write(self, connection, data) except -2
    @cython.locals(watch=Watch, tasklet=Strand)
    cpdef pass_on(self)
    @cython.locals(watch=Watch)
    cdef bint silent(self, connection) except -1
    @cython.locals(hub=Hub, tasklet=Strand)
    cdef bint wait(self, sock, bint reads, int mask, deadline) except -1
    @cython.locals(mask=int, late=bint, entered=bint)
    cpdef complete(self, sock, str operation, timeout, call)
    cpdef take_turn(self, sock, connection, data=*)

@cython.locals(flow=SecureFlow)
cpdef recv(self, buflen=*, flags=*)
@cython.locals(flow=SecureFlow)
cpdef recv_into(self, buffer, nbytes=*, flags=*)
@cython.locals(flow=SecureFlow)
cpdef read(self, len=*, buffer=*)
@cython.locals(count=Py_ssize_t, mask=int, quiet=bint, late=bint, entered=bint, watch=Watch)
cdef _read(self, SecureFlow flow, connection, size, buffer)
@cython.locals(flow=SecureFlow)
cpdef send(self, data, flags=*)
@cython.locals(flow=SecureFlow, sent=Py_ssize_t, total=Py_ssize_t)
cpdef sendall(self, data, flags=*)
@cython.locals(flow=SecureFlow)
cpdef write(self, data)
cdef Py_ssize_t _send(self, SecureFlow flow, connection, data) except -1
@cython.locals(mask=int, sent=Py_ssize_t, late=bint, entered=bint)
cdef Py_ssize_t _write(self, SecureFlow flow, connection, timeout, data) except -1
