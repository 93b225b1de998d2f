from runtime.circular_queue cimport CircularQueue
from runtime.strand cimport Strand

cdef extern from "primitives.h":
    object switch "unstall_switch" (object target)
    object begin "unstall_begin_greenlet" (object target, bint below)
    object getcurrent "unstall_getcurrent" ()
    object push "unstall_push" (object queue, object item)
    object pop "unstall_pop" (object queue)
    object lift "unstall_lift" (object items, Py_ssize_t place)
    int lay "unstall_lay" (object items, Py_ssize_t place, object item) except -1
    double monotonic "unstall_clock" () except -1
    dict contents "unstall_contents" (object thing)
    unsigned long long version "unstall_version" (object kind)
    object unstall_remembered()
    void remember "unstall_remember" (object hub)
    void forget "unstall_forget" (object hub)
    object latch "unstall_latch" ()
    bint take "unstall_take" (object latch)
    int hold "unstall_hold" (object latch) except -1
    bint taken "unstall_taken" (object latch)
    void free "unstall_free" (object latch)

cdef extern from "frames.h":
    object leave "unstall_leave" (Strand me, object target)
    object frame "unstall_frame" (size_t place)

cdef extern from "chunks.h":
    object worker "unstall_worker" (object work)

cdef inline object remembered(object place):
    return unstall_remembered()

cdef inline CircularQueue queue():
    return CircularQueue()
