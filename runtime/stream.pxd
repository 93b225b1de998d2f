cimport cython
from runtime cimport flow
from runtime.flow cimport Flow
from runtime.guard cimport Guard, Side, busy_with_owned, guard_of
from runtime.strand cimport Strand

cdef class End:
    cdef public object thread
    cdef public Flow flow
    cdef public bint reads, writes

    cpdef close(self)

@cython.locals(end=End, reads=bint, count=Py_ssize_t, guard=Guard, side=Side, me=Strand)
cpdef readinto(self, b)
cdef _receive(self, End end, sock, b, bint tried)
@cython.locals(end=End, writes=bint, sent=Py_ssize_t, way=Flow, guard=Guard, side=Side, me=Strand)
cpdef write(self, b)
cdef _send(sock, b)
