"""Writes testdata/parquet/*.parquet, the files of crates/data/src/tests/prepared.rs and bad_input.rs.

Needs pyarrow; run in this folder: python parquet.py
"""

import pyarrow as pa
import pyarrow.parquet as pq

rows = [f"row {i} " + "né " * (i % 7) for i in range(50)]
table = pa.table({"id": list(range(50)), "text": rows})


def write(name, table, **options):
    pq.write_table(table, f"parquet/{name}.parquet", row_group_size=20, **options)


for codec in ["snappy", "zstd", "gzip", "brotli", "lz4"]:
    write(codec, table, compression=codec, use_dictionary=False)
write("plain", table, compression="none", use_dictionary=False, data_page_version="2.0")
dictionary = table.set_column(1, "text", pa.array(rows).dictionary_encode())
write("dictionary", dictionary, compression="snappy")
required = pa.schema([pa.field("text", pa.string(), nullable=False)])
write("required", pa.table({"text": rows}, schema=required))
write("large", table.set_column(1, "text", pa.array(rows, pa.large_string())))

some_null = [None if i in (3, 30) else row for i, row in enumerate(rows)]
write("null", table.set_column(1, "text", pa.array(some_null)))
not_utf8 = [b"row \xff" if i == 33 else row.encode() for i, row in enumerate(rows)]
write("binary", table.set_column(1, "text", pa.array(not_utf8, pa.binary())))
write("list", table.set_column(1, "text", pa.array([[row] for row in rows])))
