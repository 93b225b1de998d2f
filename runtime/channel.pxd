cimport cython
from runtime cimport here, primitives
from runtime.hub cimport Hub
from runtime.strand cimport Strand

cdef class _Party:
    cdef public Strand tasklet
    cdef public object value, error
    cdef public bint met
    cdef public _Party after, before

    cdef outcome(self)

cdef class Rendezvous:
    cdef object __weakref__
    cdef public object _guard
    cdef public _Party _first, _last
    cdef public Py_ssize_t _balance
    cdef public bint _closing

    @cython.locals(hub=Hub, party=_Party)
    cdef _send(self, value, error)
    @cython.locals(hub=Hub, party=_Party)
    cdef _receive(self)
    @cython.locals(party=_Party)
    cdef _Party _give(self, Hub hub, value, error)
    @cython.locals(party=_Party)
    cdef _Party _ask(self, Hub hub)
    cdef _wait(self, Hub hub, _Party me)
    @cython.locals(receiver=_Party)
    cpdef close(self)
    @cython.locals(last=_Party)
    cdef _join(self, _Party party, int step)
    @cython.locals(party=_Party)
    cdef _Party _take(self)
    @cython.locals(before=_Party, after=_Party)
    cdef _leave(self, _Party party)
