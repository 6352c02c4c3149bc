"""Tables: `reading` and `columns` for what comes in, `writing` for what goes out."""

from core.tables.writing import harmless, to_json_types

__all__ = ["harmless", "to_json_types"]
