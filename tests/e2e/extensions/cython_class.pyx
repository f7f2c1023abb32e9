# cython: language_level=3
"""A class of Cython: the compiler writes its traverse function."""


cdef class Container:
    cdef object field
    cdef list items
    cdef Container other

    def __init__(self, Container other=None):
        self.field = []
        self.items = [self.field]
        self.other = other


cdef class Derived(Container):
    cdef dict table
    cdef public object me

    def __init__(self, Container other=None):
        super().__init__(other)
        self.table = {"other": other}
        self.me = self

    def running(self):
        for item in self.items:
            yield item, self
