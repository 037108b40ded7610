"""Names that nobody should allow, by exact name or by the module or class above them, and why: literal tables.

They keep nothing from loading: that no list holds a name does. They are for whoever thinks of allowing it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DANGEROUS", "LEFT_OUT", "STANDARD_LIBRARY", "known"]

# Deeper than any name below.
_DEPTH = 8

STANDARD_LIBRARY = "it is of the standard library, whose plain data types the default policy grants already"

_CODE = "it runs code that it is given, or that it finds"
_PROGRAMS = "it starts programs, or runs code in other processes and threads"
_LOADS = "it unpickles or loads what it is given, past every check"
_LOOKUP = "it gives whatever hangs from an object or a module by its name, which is a way to everything else"
_CALLS = "it calls what it is given, now or later"
_FILES = "it opens, writes or removes files"
_NETWORK = "it opens connections"
_MEMORY = "it reads or writes memory at places, or of a size, that its arguments say"
_PROTECTION = "it is a part of what protects you, or switches that off"
_PYTHON_2 = "it is of an old Python, where its kin opened files and connections, or ran code"

# Reason -> names. A module's name stands for all that is in it.
_DANGEROUS: Mapping[str, str] = {
    _CODE: "eval exec builtins.eval builtins.exec builtins.execfile builtins.compile builtins.__import__"
    " builtins.breakpoint builtins.apply builtins.reload builtins.help builtins.type importlib _frozen_importlib"
    " _frozen_importlib_external imp pkgutil zipimport runpy code codeop compileall py_compile timeit trace cProfile"
    " profile pdb bdb doctest cgitb site sitecustomize usercustomize idlelib lib2to3 test unittest ensurepip pydoc"
    " logging dataclasses types typing collections.namedtuple pip setuptools pkg_resources distutils numpy.distutils"
    " numpy.f2py numpy.testing numpy.core._ufunc_reconstruct numpy._core._ufunc_reconstruct numexpr asteval"
    " simpleeval jinja2 mako sympy.parsing sympy.utilities pandas.eval pandas.core.computation tensorflow.python"
    " torch.fx torch.jit torch.compile torch.hub torch.library torch.distributed torch.utils.bottleneck",
    _PROGRAMS: "os posix nt subprocess _posixsubprocess _bootsubprocess _winapi pty popen2 commands platform"
    " webbrowser multiprocessing _multiprocessing concurrent asyncio threading _thread thread signal _signal atexit"
    " _osx_support _pyrepl _interpreters _xxsubinterpreters pexpect IPython loky dask distributed venv"
    " nltk.internals nltk.tokenize.repp uuid._arp_getnode uuid._ifconfig_getnode uuid._netstat_getnode uuid.getnode"
    " joblib.parallel joblib.Parallel joblib._parallel_backends torch.utils.collect_env",
    _LOADS: "pickle _pickle cPickle marshal shelve dbm whichdb copyreg cloudpickle dill joblib.load"
    " joblib.numpy_pickle joblib.numpy_pickle_compat joblib.numpy_pickle_utils joblib.memory joblib.Memory"
    " joblib._store_backends joblib.externals sklearn.externals numpy.load numpy.lib.npyio numpy.lib._npyio_impl"
    " numpy.lib.format pandas.read_pickle pandas.compat.pickle_compat torch.load torch.serialization torch.storage"
    " torch.package keras.models keras.saving keras.src.saving tensorflow.keras tensorflow.saved_model skops.io"
    " jsonpickle yaml",
    _LOOKUP: "builtins.getattr builtins.setattr builtins.delattr builtins.vars builtins.dir builtins.globals"
    " builtins.locals builtins.super __builtins__ operator _operator inspect weakref gc sys xmlrpc six future past",
    _CALLS: "functools _functools itertools builtins.map builtins.filter builtins.iter builtins.next builtins.sorted"
    " builtins.min builtins.max builtins.classmethod builtins.staticmethod builtins.property contextlib"
    " numpy.vectorize numpy.frompyfunc numpy.apply_along_axis numpy.apply_over_axes numpy.piecewise"
    " numpy.fromfunction numpy.nditer joblib.delayed scipy.optimize scipy.integrate scipy.LowLevelCallable"
    " scipy._lib._ccallback",
    _FILES: "builtins.open builtins.input builtins.file io _io codecs shutil tempfile glob fileinput linecache"
    " tarfile zipfile gzip bz2 lzma wave mailbox sqlite3 _sqlite3 xml numpy.save numpy.savez numpy.savez_compressed"
    " numpy.savetxt numpy.loadtxt numpy.genfromtxt numpy.fromfile numpy.fromregex numpy.DataSource"
    " numpy.lib._datasource numpy.core.records numpy._core.records numpy.rec numpy.ma.mrecords numpy.ndarray.dump"
    " numpy.ndarray.tofile scipy.io scipy.datasets scipy.sparse._matrix_io joblib.dump sklearn.datasets pandas.io"
    " pandas.HDFStore pandas.ExcelFile pandas.read_csv pandas.read_table pandas.read_json pandas.read_excel"
    " pandas.read_feather pandas.read_fwf pandas.read_hdf pandas.read_html pandas.read_orc pandas.read_parquet"
    " pandas.read_sas pandas.read_spss pandas.read_sql pandas.read_stata pandas.read_xml pandas.read_clipboard h5py"
    " fsspec",
    _NETWORK: "socket _socket socketserver ssl _ssl http urllib ftplib smtplib poplib imaplib nntplib telnetlib"
    " select selectors syslog wsgiref requests aiohttp httpx urllib3 urllib2 httplib paramiko",
    _MEMORY: "ctypes _ctypes cffi _cffi_backend mmap array faulthandler builtins.memoryview numpy.ctypeslib"
    " numpy.lib.stride_tricks numpy.lib._stride_tricks_impl torch._C",
    _PROTECTION: "safeload picklescan modelscan fickling modelaudit",
    _PYTHON_2: "__builtin__ BaseHTTPServer SimpleHTTPServer CGIHTTPServer DocXMLRPCServer SimpleXMLRPCServer"
    " xmlrpclib SocketServer StringIO cStringIO copy_reg UserDict UserList UserString anydbm dumbdbm gdbm dbhash"
    " Queue ConfigParser",
}

_RESAVE = "Save the model without it"
_REBUILT = "A fitted model does not hold it: save the model with the versions that the list was made for"

# What was looked at when the lists were made, and left out: (reason, what to do instead) -> names.
_LEFT_OUT: Mapping[tuple[str, str], str] = {
    (
        "scipy's distributions execute a string of their state when they are rebuilt",
        "Save search.best_estimator_ instead of the search, or give the candidates as a list",
    ): "scipy.stats",
    (
        "its state is trusted by C code, which reads and writes where a state from a file points to",
        _REBUILT,
    ): "scipy.spatial scipy.interpolate sklearn.neighbors._quad_tree sklearn.tree._criterion sklearn.tree._splitter"
    " sklearn.metrics._dist_metrics sklearn._loss numpy.poly1d numpy.chararray numpy.dtypes"
    " numpy.char numpy.random",
    (
        "its `__del__` frees an address that the file names, or its constructor opens files",
        "Save the model, and not the data that it was fitted on",
    ): "lightgbm.basic xgboost.core catboost.core _catboost",
    (
        "it makes arrays of memory that nobody wrote, of memory at an address, or of any size",
        "Save the array itself, as joblib does",
    ): "numpy.array numpy.asarray numpy.asanyarray numpy.frombuffer numpy.empty numpy.empty_like numpy.full numpy.zeros"
    " numpy.ones numpy.arange numpy.bytes_ numpy.void numpy.ndarray numpy.memmap numpy.matrix numpy.ufunc",
    (
        "it opens files, draws, or starts threads and processes when it is used",
        _RESAVE,
    ): "sklearn.inspection sklearn.callback sklearn.utils.estimator_html_repr sklearn.utils._estimator_html_repr"
    " sklearn.utils._repr_html sklearn.metrics._plot sklearn.model_selection._plot sklearn.tree._export"
    " sklearn.utils._mocking sklearn.utils.estimator_checks sklearn.utils._testing sklearn.tests",
    (
        "it fits, clones or scores what it is given, and no fitted model holds it",
        _RESAVE,
    ): "sklearn.base.clone sklearn.metrics._scorer sklearn.metrics.make_scorer sklearn.metrics.get_scorer"
    " sklearn.metrics.check_scoring sklearn.model_selection._validation",
    (
        "its methods open, rename and remove files",
        "Save the path as a str",
    ): "pathlib",
    (
        "it is a container of the standard library that no estimator needs",
        "Save a dict, a list or a tuple instead",
    ): "collections types.SimpleNamespace types.MappingProxyType argparse.Namespace",
    (
        "it is an enum of the standard library, pickled as a call that its class may answer with code",
        "Save the number instead",
    ): "enum",
}


def _by_name(groups: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({name: reason for reason, names in groups.items() for name in names.split()})


DANGEROUS = _by_name(_DANGEROUS)
LEFT_OUT = MappingProxyType({name: words for words, names in _LEFT_OUT.items() for name in names.split()})


def known(path: str) -> str | None:
    """The name in one of the tables that is `path`, or the nearest that stands above it."""
    parts = path.split(".", _DEPTH)[:_DEPTH]
    above = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((name for name in above if name in DANGEROUS or name in LEFT_OUT), None)
