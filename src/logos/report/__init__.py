"""The report of a session: one page that shows what it came to, made from its files."""

from logos.report.page import REPORT, report_page, try_report, write_report

__all__ = ["REPORT", "report_page", "try_report", "write_report"]
