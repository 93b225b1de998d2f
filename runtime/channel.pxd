cimport cython
from runtime cimport here, primitives
from runtime.hub cimport Hub
from runtime.strand cimport Strand

cdef class _Party:
    cdef public Strand tasklet
    cdef public object value, error
    cdef public bint met
    cdef public _Party after, before

cdef class _Line:
    cdef public Py_ssize_t count
    cdef public _Party first, last

    @cython.locals(last=_Party)
    cdef join(self, _Party party)
    @cython.locals(before=_Party, after=_Party)
    cdef leave(self, _Party party)
    @cython.locals(party=_Party)
    cdef _Party take(self)

cdef class Rendezvous:
    cdef object __weakref__
    cdef public object _guard
    cdef public _Line _receivers, _senders
    cdef public bint _closing

    @cython.locals(hub=Hub, receiver=_Party, me=_Party)
    cdef _send(self, value, error)
    @cython.locals(hub=Hub, party=_Party)
    cdef _receive(self)
    @cython.locals(party=_Party)
    cdef _Party _sender(self, Hub hub)
    @cython.locals(receiver=_Party)
    cpdef close(self)
    cdef _meet(self, Hub hub, _Party me, _Line line)
    cdef _take(self, _Party party)
