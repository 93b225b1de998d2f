cimport cython
from runtime cimport here, primitives
from runtime.hub cimport Hub
from runtime.strand cimport Strand

cdef class _Party:
    cdef public Strand tasklet
    cdef public object value, error
    cdef public bint met

cdef class Rendezvous:
    cdef object __weakref__
    cdef public object _guard, _receivers, _senders
    cdef public bint _closing

    cpdef send(self, value)
    @cython.locals(hub=Hub, receiver=_Party, me=_Party)
    cdef _send(self, value, error)
    @cython.locals(hub=Hub, sender=_Party, me=_Party)
    cpdef receive(self)
    @cython.locals(receiver=_Party)
    cpdef close(self)
    cdef _meet(self, Hub hub, _Party me, queue)
    cdef _take(self, _Party party)
