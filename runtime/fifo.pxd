cimport cython
from runtime cimport here, primitives
from runtime.circular_queue cimport CircularQueue
from runtime.hub cimport Hub
from runtime.strand cimport Strand

cdef class Fifo:
    cdef object __weakref__
    cdef public object _getters
    cdef public CircularQueue _items

    cpdef put(self, item, block=*, timeout=*)
    @cython.locals(tasklet=Strand)
    cdef _wake_one(self)
    cpdef get(self, block=*, timeout=*)
    @cython.locals(hub=Hub)
    cdef _wait(self, deadline)
