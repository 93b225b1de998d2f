cimport cython
from runtime cimport here
from runtime.hub cimport Hub
from runtime.strand cimport Strand

cdef class Side:
    cdef public object _free, queue
    cdef public size_t caught, holder
    cdef public Py_ssize_t depth
    cdef public list waiting
    cdef public dict driven

    @cython.locals(hub=Hub, me=size_t)
    cpdef bint enter(self, top=*, first=*) except -1
    @cython.locals(hub=Hub)
    cdef _queue_up(self, first)
    cpdef leave(self)
    @cython.locals(tasklet=Strand)
    cpdef call_next(self)

cdef class Guard:
    cdef public Side reading, writing
    cdef public bint permanent, text
    cdef public list _above, _swapped

    cpdef add(self, layer)
    @cython.locals(hub=Hub, me=Strand)
    cpdef Strand begin(self, raw, Side side)
    cpdef end(self, Side side, Strand me)
    cpdef keep(self, raw)
    cdef _swap_all(self, raw)
    cdef _swap(self, layer)
    cpdef bint idle(self) except -1
    cpdef relax(self)

cdef exchange(layer)
cpdef guard_of(raw)
cpdef busy_with(raw)
@cython.locals(hub=Hub)
cpdef busy_with_owned(raw, owner)
