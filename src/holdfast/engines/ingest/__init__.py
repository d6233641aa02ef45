"""Evidence of any kind into Parquet files of activity, with an account of every record."""

from holdfast.engines.ingest.ingest import ParquetIngest
from holdfast.engines.ingest.limits import Limits

__all__ = ["Limits", "ParquetIngest"]
