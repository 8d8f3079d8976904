"""Runs every model on Spark, from the very same text, and compares each row with an exported lake.

    python tests/models/equal_spark.py EXPORT      EXPORT/<schema>/<table>.parquet, as `fleetflow export` writes it

Core and ops tables are the input; each model is computed from them and from the models before it, all by Spark, and must
hold exactly the rows of the export's file of the same name. Needs pyspark 3.5 and Java 17.
"""
import collections
import pathlib
import sys
import time

from pyspark.sql import SparkSession

import project

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",  # DuckDB writes timestamps without a zone; ours are UTC
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.memory": "2g",
    "spark.sql.adaptive.enabled": "false",       # a few thousand rows: planning twice and compiling cost more than they save
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.autoBroadcastJoinThreshold": "64m",
}


def session():
    builder = SparkSession.builder.master("local[2]").appName("fleetflow-models")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def differences(computed, stored):
    """Text for each way in which two tables differ."""
    types = {f.name: f.dataType.simpleString() for f in stored.schema.fields}
    for f in computed.schema.fields:
        if types.get(f.name) != f.dataType.simpleString():
            yield f"column {f.name} is {f.dataType.simpleString()}, in the export {types.get(f.name)}"
            return
    ours, theirs = (collections.Counter(map(tuple, t.select(computed.columns).collect())) for t in (computed, stored))
    for name, extra in (("Spark", ours - theirs), ("the export", theirs - ours)):
        if extra:
            yield f"only in {name}: {sum(extra.values())} rows, like {next(iter(extra))}"


def main(export):
    export = pathlib.Path(export)
    spark, failed, models = session(), 0, project.read_models()
    for schema, table in sorted({s for m in models for s in m.sources}):
        spark.read.parquet(str(export / schema / f"{table}.parquet")).createOrReplaceTempView(f"{schema}_{table}")
    for m in models:
        start = time.monotonic()
        computed = spark.sql(m.render(lambda schema, name: f"{schema}_{name}" if schema else name)).cache()
        computed.createOrReplaceTempView(m.name)
        stored = spark.read.parquet(str(export / m.schema / f"{m.name}.parquet"))
        wrong = list(differences(computed, stored))
        failed += bool(wrong)
        print(f"{m.schema}.{m.name}: {time.monotonic() - start:.1f} s" + ("" if not wrong else " DIFFER"))
        print("".join(f"  {w}\n" for w in wrong), end="")
    print(f"{len(models) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
