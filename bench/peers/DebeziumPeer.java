import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Avro;
import io.debezium.engine.format.Json;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.Properties;
import java.util.concurrent.*;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Debezium's embedded engine (not Debezium Server, not Kafka Connect) from one Postgres table to a Kafka topic of JSON, at
 * least once: a batch is acknowledged by the broker before it is marked as processed. With -Dregistry=URL of Avro, by
 * Apicurio's converter, in the wire format of Confluent's.
 *
 * DebeziumPeer (snapshot|changes) PORT TABLE BOOTSTRAP WORK_FOLDER ROWS TOPIC SLOT...: a pass for each slot in this JVM, all but
 * the last to warm it up. `snapshot` reads the table, `changes` drains what the slot has kept. A pass ends after ROWS events;
 * its time begins with the engine's first batch, so neither connecting nor the scan's set-up counts.
 * Prints a line of JSON a pass.
 */
public class DebeziumPeer {
  static final String registry = System.getProperty("registry");

  static Properties settings(String mode, String port, String table, Path work, String slot) {
    Properties p = new Properties();
    String[][] words = {
      {"name", slot}, {"connector.class", "io.debezium.connector.postgresql.PostgresConnector"}, {"topic.prefix", slot}, {"plugin.name", "pgoutput"},
      {"database.hostname", "127.0.0.1"}, {"database.port", port}, {"database.user", "app"}, {"database.password", "app"}, {"database.dbname", "app"},
      {"table.include.list", "public." + table}, {"slot.name", slot}, {"publication.name", "fleetflow"}, {"publication.autocreate.mode", "disabled"},
      {"snapshot.mode", mode.equals("snapshot") ? "initial" : "no_data"}, {"snapshot.fetch.size", "10240"}, {"max.batch.size", "8192"}, {"max.queue.size", "32768"}, {"poll.interval.ms", "10"},
      {"offset.storage", "org.apache.kafka.connect.storage.FileOffsetBackingStore"}, {"offset.storage.file.filename", work.resolve(slot + ".offsets").toString()},
      {"offset.flush.interval.ms", "1000"}, {"converter.schemas.enable", "false"}};
    for (String[] word : words) p.setProperty(word[0], word[1]);
    String[][] avro = {
      {"class", "io.apicurio.registry.utils.converter.AvroConverter"}, {"apicurio.registry.url", registry}, {"apicurio.registry.auto-register", "true"}, {"apicurio.registry.headers.enabled", "false"}, {"apicurio.registry.as-confluent", "true"}, {"apicurio.registry.use-id", "contentId"}};
    if (registry != null)
      for (String prefix : new String[] {"key.converter.", "value.converter."})
        for (String[] word : avro) p.setProperty(prefix + word[0], word[1]);
    return p;
  }

  static byte[] bytes(String topic, Object value) {
    return value instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : (byte[]) value;
  }

  static KafkaProducer<Object, Object> producer(String bootstrap) {
    Properties p = new Properties();
    p.setProperty("bootstrap.servers", bootstrap);
    p.setProperty("acks", "all");
    p.setProperty("linger.ms", "5");
    p.setProperty("batch.size", "262144");
    Serializer<Object> plain = DebeziumPeer::bytes;
    return new KafkaProducer<>(p, plain, plain);
  }

  @SuppressWarnings({"rawtypes", "unchecked"})  // A format is of String or of byte[].
  public static void main(String[] words) throws Exception {
    String mode = words[0], table = words[2], topic = words[6];
    Path work = Path.of(words[4]);
    long rows = Long.parseLong(words[5]);
    var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    try (var producer = producer(words[3])) {
      for (int pass = 1; pass <= words.length - 7; ++pass) {
        long[] start = {0, 0};  // wall, cpu
        long[] seen = {0};
        var done = new CountDownLatch(1);
        DebeziumEngine.ChangeConsumer<ChangeEvent<Object, Object>> hand_over = (batch, committer) -> {
          if (start[0] == 0) {
            start[0] = System.nanoTime();
            start[1] = system.getProcessCpuTime();
          }
          for (var event : batch) producer.send(new ProducerRecord<>(topic, event.key(), event.value()));
          producer.flush();
          for (var event : batch) committer.markProcessed(event);
          committer.markBatchFinished();
          if ((seen[0] += batch.size()) >= rows) done.countDown();
        };
        var failure = new StringBuffer();
        DebeziumEngine.Builder builder = DebeziumEngine.create((Class) (registry == null ? Json.class : Avro.class));
        var engine = builder.using(settings(mode, words[1], table, work, words[6 + pass])).notifying(hand_over)
            .using((DebeziumEngine.CompletionCallback) (success, message, error) -> {
              if (!success) failure.append(message);
              done.countDown();
            }).build();
        var thread = Executors.newSingleThreadExecutor();
        thread.execute(engine);
        done.await();
        long wall = System.nanoTime() - start[0], cpu = system.getProcessCpuTime() - start[1];
        engine.close();
        thread.shutdown();
        if (seen[0] < rows) throw new IllegalStateException(seen[0] + " of " + rows + " events; " + failure);
        System.out.printf("{\"pass\": %d, \"wall_s\": %.3f, \"cpu_s\": %.3f, \"events\": %d, \"peak_rss_mb\": %d}%n", pass, wall / 1e9, cpu / 1e9, seen[0], peakMb());
      }
    }
  }

  static long peakMb() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status")))
      if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
    return -1;
  }
}
