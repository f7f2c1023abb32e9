"""The heaps of real packages: imports those that are named, uses each a little, prints READY, and waits.

    packages.py NAME...
"""
import gc

gc.disable()
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import time

kept = []


class MovedData(importlib.machinery.SourceFileLoader):
    """Debian's matplotlib has its data at an absolute path, which here lies in the interpreter's tree."""

    def get_data(self, path):
        return super().get_data(path).replace(b"'/usr/share/matplotlib", b"'%s/share/matplotlib" % sys.prefix.encode())

    def get_code(self, name):
        return self.source_to_code(self.get_data(self.path), self.path)


def numpy():
    import numpy
    objects = numpy.array([[[1]], {2: []}], dtype=object)
    return objects, numpy.nditer(numpy.zeros(3)), numpy.dtype([("a", object), ("b", int)]), objects.flat


def pandas():
    import pandas
    frame = pandas.DataFrame({"a": [1, 2], "b": [[1], {}]})
    return frame, frame.groupby("a"), frame.rolling(2), pandas.date_range("2020-01-01", periods=3)


def lxml():
    import lxml.etree
    root = lxml.etree.fromstring("<a><b/></a>")
    return root, list(root), root.iter(), root.xpath("//b"), lxml.etree.XSLT(lxml.etree.fromstring(
        '<x:stylesheet version="1.0" xmlns:x="http://www.w3.org/1999/XSL/Transform"/>'))


def scipy():
    import scipy.interpolate
    import scipy.sparse.linalg
    import scipy.spatial
    import scipy.stats
    return scipy.sparse.eye(3).tocsr(), scipy.spatial.cKDTree([[0, 1], [2, 3]]), scipy.interpolate.interp1d(
        [0, 1], [2, 3]), scipy.stats.norm(0, 1)


def matplotlib():
    os.environ["MATPLOTLIBRC"] = sys.prefix + "/share/matplotlib/mpl-data/matplotlibrc"
    spec = importlib.machinery.PathFinder.find_spec("matplotlib")
    spec.loader = MovedData("matplotlib", spec.origin)
    module = importlib.util.module_from_spec(spec)
    sys.modules["matplotlib"] = module
    spec.loader.exec_module(module)
    module.use("Agg")
    import matplotlib.pyplot
    figure, axes = matplotlib.pyplot.subplots()
    axes.plot([1, 2, 3])
    figure.canvas.draw()
    return figure, axes


def sklearn():
    import sklearn.cluster
    import sklearn.linear_model
    import sklearn.neighbors
    points = [[0, 1], [1, 3], [2, 5], [3, 7]]
    return sklearn.linear_model.LinearRegression().fit(points, [0, 1, 2, 3]), sklearn.neighbors.KDTree(points)


def torch():
    import torch
    weight = torch.ones(2, 2, requires_grad=True)
    layer = torch.nn.Linear(2, 2)
    return weight, (weight * 2).sum(), layer, layer(weight), torch.jit.script(torch.nn.ReLU())


def PyQt5():
    os.environ["QT_QPA_PLATFORM"] = "minimal"
    import PyQt5.QtCore
    import PyQt5.QtWidgets
    parent = PyQt5.QtCore.QObject()
    timer = PyQt5.QtCore.QTimer(parent)
    timer.timeout.connect(lambda: parent)
    return parent, timer, PyQt5.QtCore.QObject(parent)


def sqlalchemy():
    import sqlalchemy
    import sqlalchemy.orm
    base = sqlalchemy.orm.declarative_base()
    row = type("Row", (base,), {"__tablename__": "row", "id": sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)})
    engine = sqlalchemy.create_engine("sqlite://")
    base.metadata.create_all(engine)
    session = sqlalchemy.orm.Session(engine)
    session.add(row(id=1))
    session.flush()
    return engine, session, session.query(row).all()


def cryptography():
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "name")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return key, request, list(request.subject)


def gevent():
    import gevent
    import gevent.event
    import gevent.pool
    event = gevent.event.Event()
    waiting = [gevent.spawn(event.wait) for _ in range(5)]
    gevent.sleep(0)
    return event, waiting, gevent.pool.Pool(2)


def django():
    import django.conf
    django.conf.settings.configure()
    import django
    django.setup()
    import django.db.models
    import django.forms
    return type("Form", (django.forms.Form,), {"name": django.forms.CharField()})()


def sympy():
    import sympy
    x = sympy.Symbol("x")
    return sympy.integrate(x ** 2, x), sympy.Matrix([[x, 1], [2, x]]).inv(), sympy.lambdify(x, x + 1)


for name in sys.argv[1:]:
    kept.append(globals()[name]())
print("READY", flush=True)
time.sleep(100000)
