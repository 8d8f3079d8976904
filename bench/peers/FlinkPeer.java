import java.lang.management.ManagementFactory;
import java.nio.file.*;
import java.util.concurrent.atomic.LongAdder;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;

/**
 * Apache Flink on one topic of shipment events: each event once, then the last one of each shipment. In process, with its
 * RocksDB state, exactly-once checkpoints and mini-batches on.
 *
 * FlinkPeer BOOTSTRAP TOPIC WORK_FOLDER PASSES: reads the topic, from its first to its newest record, PASSES times in this
 * JVM, each time as a new job; all but the last pass warm it up. Prints a line of JSON a pass.
 *
 * The result goes to a sink that only counts: Flink is not made to pay for storing its answer, which ours does.
 */
public class FlinkPeer {
  static final LongAdder keys = new LongAdder(), changes = new LongAdder();

  public static class Count implements MapFunction<Row, Row> {
    @Override
    public Row map(Row row) {
      changes.increment();
      if (row.getKind() == RowKind.INSERT) keys.increment();
      return row;
    }
  }

  static StreamTableEnvironment environment(String bootstrap, String topic, Path work) {
    Configuration c = new Configuration();
    c.setString("execution.checkpointing.interval", "1s");
    c.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    c.setString("execution.checkpointing.dir", work.resolve("checkpoints").toUri().toString());
    c.setString("execution.checkpointing.incremental", "true");
    c.setString("state.backend.type", "rocksdb");
    c.setString("state.backend.rocksdb.localdir", work.resolve("rocksdb").toString());
    c.setString("taskmanager.memory.managed.size", "1g");
    c.setString("taskmanager.numberOfTaskSlots", "2");
    c.setString("pipeline.object-reuse", "true");
    c.setString("table.exec.mini-batch.enabled", "true");
    c.setString("table.exec.mini-batch.allow-latency", "1s");
    c.setString("table.exec.mini-batch.size", "20000");
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(c);
    env.setParallelism(2);
    StreamTableEnvironment tables = StreamTableEnvironment.create(env);
    tables.executeSql(
        "create table events (event_id string, shipment_id string, status string, event_time string, driver_id string, facility string, reason string,"
            + " version bigint, retracted boolean, ingest_time string,"
            + " happened as to_timestamp(replace(replace(event_time, 'T', ' '), 'Z', '')), read_at as proctime(),"
            + " watermark for happened as happened - interval '15' minute)"
            + " with ('connector' = 'kafka', 'topic' = '" + topic + "', 'properties.bootstrap.servers' = '" + bootstrap + "', 'scan.startup.mode' = 'earliest-offset',"
            + " 'scan.bounded.mode' = 'latest-offset', 'format' = 'json', 'json.ignore-parse-errors' = 'true')");
    tables.executeSql(
        "create view once as select * from (select *, row_number() over (partition by shipment_id, event_id order by read_at) as copy from events) where copy = 1");
    return tables;
  }

  public static void main(String[] words) throws Exception {
    Path work = Path.of(words[2]);
    var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    for (int pass = 1; pass <= Integer.parseInt(words[3]); ++pass) {
      StreamTableEnvironment tables = environment(words[0], words[1], work.resolve("pass" + pass));
      keys.reset();
      changes.reset();
      long cpu = system.getProcessCpuTime(), wall = System.nanoTime();
      var last = tables.sqlQuery(
          "select shipment_id, event_id, status, happened, driver_id, facility, reason from"
              + " (select *, row_number() over (partition by shipment_id order by happened desc) as place from once) where place = 1");
      tables.toChangelogStream(last).map(new Count()).returns(Row.class).sinkTo(new DiscardingSink<>());
      var env = ((org.apache.flink.table.api.bridge.java.internal.StreamTableEnvironmentImpl) tables).execEnv();
      env.execute("last event of each shipment");
      System.out.printf("{\"pass\": %d, \"wall_s\": %.3f, \"cpu_s\": %.3f, \"keys\": %d, \"changes\": %d, \"peak_rss_mb\": %d}%n", pass,
          (System.nanoTime() - wall) / 1e9, (system.getProcessCpuTime() - cpu) / 1e9, keys.sum(), changes.sum(), peakMb());
    }
  }

  static long peakMb() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status")))
      if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
    return -1;
  }
}
