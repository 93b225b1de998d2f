cdef extern from "records.h":
    object read "unstall_record_read" (object connection, object size, object buffer)
    int wanted "unstall_record_wanted" (object got)
    Py_ssize_t write "unstall_record_write" (object connection, object data) except -2
    bint nothing "unstall_record_nothing" (int fd)
    unsigned long thread "PyThread_get_thread_ident" ()
