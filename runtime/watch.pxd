cimport cython
from runtime.strand cimport Strand

cdef int HANGUP, READ, READABLE, WRITABLE, WRITE

cdef class Watch:
    cdef public object hub, readers, writers
    cdef public int fd, interest
    cdef public bint closed, dry, edge, hung_up
    cpdef add(self, Strand tasklet, int mask)
    cpdef discard(self, Strand tasklet)
    cpdef update(self)
    cpdef ready(self, int bits)
    cpdef wake_readers(self)
    cpdef close(self)

cdef _with(waiters, Strand tasklet)
cdef _without(waiters, Strand tasklet)
@cython.locals(tasklet=Strand)
cdef _wake(waiters)
