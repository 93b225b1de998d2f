from runtime cimport primitives

cdef object _place
cpdef get_hub()
cpdef existing_hub()
