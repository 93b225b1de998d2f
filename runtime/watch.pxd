cimport cython
from runtime.strand cimport Strand

cdef int HANGUP, READ, READABLE, WRITABLE, WRITE

cdef class Watch:
    cdef public object hub
    cdef public int fd, interest
    cdef public bint closed, dry, edge, hung_up
    cdef public dict readers, writers
    cpdef add(self, Strand tasklet, int mask)
    cpdef discard(self, Strand tasklet)
    cpdef update(self)
    cpdef ready(self, int bits)
    @cython.locals(tasklet=Strand)
    cdef _wake(self, dict waiters)
    @cython.locals(tasklet=Strand)
    cpdef close(self)
