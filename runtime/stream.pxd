cimport cython
from runtime cimport flow
from runtime.guard cimport Guard, Side, busy_with, guard_of
from runtime.strand cimport Strand

@cython.locals(shared=bint, direct=bint, count=Py_ssize_t, guard=Guard, side=Side, me=Strand)
cpdef readinto(self, b)
cdef _receive(self, b)
@cython.locals(direct=bint, sent=Py_ssize_t, guard=Guard, side=Side, me=Strand)
cpdef write(self, b)
cdef _send(self, b)
