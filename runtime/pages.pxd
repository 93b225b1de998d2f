cimport cython
from runtime cimport here, kernel
from runtime.hub cimport Hub
from runtime.uring cimport Operation, Ring, ring_of

@cython.locals(hub=Hub)
cpdef pread(fd, length, offset)
cpdef take(int fd, Py_ssize_t length)
cpdef Py_ssize_t fill(int fd, object buffer) except? -1
@cython.locals(got=Py_ssize_t, parts=list)
cdef _rest(Hub hub, int fd, Py_ssize_t length, long long offset, octets)
@cython.locals(ring=Ring, count=long)
cdef _fetched(Hub hub, int fd, Py_ssize_t length, long long offset)
@cython.locals(ring=Ring, count=long, length=cython.longlong)
cdef bint _read_ahead(Hub hub, int fd, long long start, long long end) except -1
