"""What a read of a storage gives where there is nothing: None may be a value."""

__all__ = ["EmptyData"]


class EmptyData:
    """What ``peek_data`` and ``pop_data`` return where there is nothing: the class itself."""
