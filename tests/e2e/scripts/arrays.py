"""Objects that numpy's arrays hold. Prints "NAME ADDR" of each, "array_NAME ADDR" of its array and "place_NAME SUBSCRIPTS", then READY."""
import gc
import time

import numpy

gc.collect()
gc.disable()


class Thing:
    pass


def array_of(shape, order):
    array = numpy.empty(shape, dtype=object, order=order)
    for place in numpy.ndindex(*array.shape):
        array[place] = Thing()
    return array


arrays = {
    "vector": (array_of((40,), "C"), (17,)),
    "matrix": (array_of((5, 7), "C"), (3, 2)),
    "fortran": (array_of((5, 7), "F"), (3, 2)),
    "cube": (array_of((2, 1, 6), "C"), (1, 0, 5)),
}
views = [array[::-1] for array, place in arrays.values()]  # own nothing
numbers = numpy.arange(1000)
for name, (array, place) in arrays.items():
    print(name, id(array[place]))
    print("array_" + name, id(array))
    print("place_" + name, "[" + ",".join(map(str, place)) + "]")
print("READY", flush=True)
time.sleep(100000)
