cimport cython
from runtime cimport kernel
from runtime.hub cimport Hub
from runtime.strand cimport Strand
from runtime.watch cimport Watch

cdef class Operation:
    cdef public int opcode, fd
    cdef public object first, second
    cdef public Py_ssize_t start
    cdef public unsigned length, flags
    cdef public long long offset
    cdef public long result
    cdef public bint done, flying
    cdef public Strand tasklet

cdef class Ring(Watch):
    cdef kernel.Queues *_queues
    cdef object _later
    cdef object _scratch
    cdef public dict flying

    cpdef bint knows(self, int opcode) except -1
    cpdef long ask(self, Operation operation) except? -1
    @cython.locals(hub=Hub)
    cpdef long finish(self, Operation operation) except? -1
    cpdef start(self, Operation operation)
    cpdef leave(self, Operation operation)
    cdef _push(self, Operation operation)
    @cython.locals(operation=Operation)
    cpdef turn(self)
    @cython.locals(error=int)
    cdef _submit(self)
    cdef _settle(self, Operation operation, long result)
    cpdef ready(self, int bits)
    cpdef close(self)
    cpdef forget(self)
    cpdef scratch(self, Py_ssize_t length)

@cython.locals(hub=Hub)
cpdef ring_of(hub)
