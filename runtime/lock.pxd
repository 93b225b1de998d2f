cimport cython
from runtime cimport here, primitives
from runtime.hub cimport Hub
from runtime.strand cimport Strand

cdef class _Waiter:
    cdef public Strand tasklet
    cdef public bint granted

cdef class Lock:
    cdef object __weakref__
    cdef public object _state, _waiters

    @cython.locals(hub=Hub)
    cpdef bint acquire(self, blocking=*, timeout=*) except -1
    @cython.locals(hub=Hub, waiter=_Waiter)
    cdef bint _wait(self, deadline) except -1
    cdef bint _withdraw(self, _Waiter waiter) except -1
    @cython.locals(waiter=_Waiter)
    cpdef release(self)

cdef class RLock:
    cdef object __weakref__
    cdef public Lock _block
    cdef public object _owner
    cdef public Py_ssize_t _count

    @cython.locals(hub=Hub)
    cpdef bint acquire(self, blocking=*, timeout=*) except -1
    @cython.locals(hub=Hub)
    cpdef release(self)
