cimport cython
from runtime cimport here, primitives
from runtime.hub cimport Hub
from runtime.lock cimport Lock

cdef dict _own, _kinds
cdef object _append, _popleft, _length, _mutex, _condition

cdef class _Kind:
    cdef public object kind
    cdef public bint ordinary, plain
    cdef public unsigned long long version

@cython.locals(kind=_Kind, has=dict, mutex=Lock)
cpdef put(self, item, block=*, timeout=*)
@cython.locals(kind=_Kind, has=dict, mutex=Lock, plain=cython.bint)
cpdef get(self, block=*, timeout=*)
@cython.locals(kind=_Kind, has=dict, mutex=Lock)
cpdef task_done(self)
@cython.locals(kind=_Kind)
cdef _Kind _ordinary(queue)
@cython.locals(hub=Hub, mutex=Lock)
cdef Lock _enter(dict has)
cdef _find(queue, dict has, str name)
cdef bint _is_in_order(block, timeout) except -1
cdef _notify(condition)
