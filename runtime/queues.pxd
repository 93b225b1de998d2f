cimport cython
from runtime cimport here, primitives
from runtime.hub cimport Hub
from runtime.lock cimport Lock

cdef dict _own
cdef object _append, _popleft, _length, _mutex, _condition
cdef bint _closable

@cython.locals(mutex=Lock)
cpdef put(self, item, block=*, timeout=*)
@cython.locals(mutex=Lock, plain=cython.bint)
cpdef get(self, block=*, timeout=*)
@cython.locals(mutex=Lock)
cpdef task_done(self)
@cython.locals(hub=Hub, mutex=Lock)
cdef Lock _enter(queue)
cdef bint _is_in_order(block, timeout) except -1
cdef _notify(condition)
