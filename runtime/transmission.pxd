cdef extern from "transmission.h":
    object receive "unstall_receive" (object sock, Py_ssize_t size, int flags)
    Py_ssize_t receive_into "unstall_receive_into" (object sock, object buffer, Py_ssize_t size, int flags) except -2
    Py_ssize_t send "unstall_send" (object sock, object data, int flags) except -2
