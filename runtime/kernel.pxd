cdef extern from "kernel.h":
    ctypedef struct Queues "unstall_queues":
        pass
    Queues *make "unstall_make" (unsigned submissions, unsigned completions) except NULL
    void end "unstall_end" (Queues *queues)
    int bell "unstall_bell" (Queues *queues)
    bint knows "unstall_knows" (Queues *queues, int opcode)
    unsigned pending "unstall_pending" (Queues *queues)
    bint push "unstall_write_down" (
        Queues *queues, object operation, int opcode, int fd, object first, Py_ssize_t start, unsigned length,
        object second, long long offset, unsigned flags
    )
    bint cancel "unstall_cancel" (Queues *queues, object operation)
    bint due "unstall_due" (Queues *queues)
    int submit "unstall_submit" (Queues *queues)
    object completed "unstall_completed" (Queues *queues)
    long result "unstall_result" (Queues *queues)
    object take_back "unstall_take_back" (Queues *queues)
    object read "unstall_read" (int fd, Py_ssize_t length, long long offset)
    Py_ssize_t fill "unstall_fill" (int fd, object buffer)
    object room "unstall_room" (Py_ssize_t length)
    object events "unstall_events" ()
    int wait "unstall_wait" (object events, int descriptor, object otherwise, object timeout, bint busy) except -1
    int event_descriptor "unstall_event_descriptor" (object events, int index)
    int event_bits "unstall_event_bits" (object events, int index)
