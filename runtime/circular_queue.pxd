cimport cython
from runtime cimport primitives

cdef Py_ssize_t _LEAST, _MANY

@cython.final
cdef class CircularQueue:
    cdef list _items
    cdef Py_ssize_t _mask, _first, _count

    cpdef append(self, item)
    cpdef appendleft(self, item)
    cpdef popleft(self)
    cpdef Py_ssize_t index(self, item) except -1
    cpdef remove(self, item)
    cpdef rotate(self, Py_ssize_t n)
    cdef _grow(self)
    cdef _shrink(self)
