"""Looking into model files that somebody else made: nothing of them is loaded, and no ML library is imported."""

from safeload.audit.report import FileReport, Report, Unread
from safeload.audit.scanning import scan_file

__all__ = ["FileReport", "Report", "Unread", "scan_file"]
