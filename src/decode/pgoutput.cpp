#include "decode/pgoutput.h"

#include "decode/pg_bytes.h"

namespace ff {
namespace {

Lsn lsn(PgBytes& in) { return {static_cast<std::uint64_t>(in.int64())}; }

void read_row(PgBytes& in, std::vector<PgCell>& row) {
  row.clear();
  const int count = in.int16();
  if (count < 0) return in.fail();
  for (int i = 0; i < count && in.good(); ++i) {
    PgCell& cell = row.emplace_back();
    switch (in.byte()) {
      case 'n':
        break;
      case 'u':
        cell.kind = PgCell::unchanged;
        break;
      case 't':
        cell = {PgCell::text, in.counted()};
        break;
      case 'b':
        cell = {PgCell::binary, in.counted()};
        break;
      default:
        return in.fail();
    }
  }
}

void read_relation(PgBytes& in, PgRelation& out) {
  out.oid = in.uint32();
  out.schema = in.text();
  if (out.schema.empty()) out.schema = "pg_catalog";
  out.table = in.text();
  out.replica_identity = in.byte();
  out.columns.clear();
  const int count = in.int16();
  if (count < 0) return in.fail();
  for (int i = 0; i < count && in.good(); ++i) {
    PgColumn& column = out.columns.emplace_back();
    column.is_key = (in.byte() & 1) != 0;
    column.name = in.text();
    column.type = in.uint32();
    in.uint32();  // the type modifier: text says it all
  }
}

void read_old_and_new(PgBytes& in, PgMessage& out) {
  out.relation_oid = in.uint32();
  out.old_kind = PgOldRow::absent;
  out.old_row.clear();
  out.new_row.clear();
  char part = in.byte();
  if (out.kind != PgMessageKind::insert && (part == 'K' || part == 'O')) {
    out.old_kind = static_cast<PgOldRow>(part);
    read_row(in, out.old_row);
    if (out.kind == PgMessageKind::remove) return;
    part = in.byte();
  }
  if (part != 'N' || out.kind == PgMessageKind::remove) return in.fail();
  read_row(in, out.new_row);
}

void read_truncate(PgBytes& in, PgMessage& out) {
  out.truncated.clear();
  const std::uint32_t count = in.uint32();
  in.byte();  // CASCADE, RESTART IDENTITY
  for (std::uint32_t i = 0; i < count && in.good(); ++i) out.truncated.push_back(in.uint32());
}

bool carries_xid(PgMessageKind kind) {
  switch (kind) {
    case PgMessageKind::relation:
    case PgMessageKind::type:
    case PgMessageKind::insert:
    case PgMessageKind::update:
    case PgMessageKind::remove:
    case PgMessageKind::truncate:
    case PgMessageKind::logical:
      return true;
    default:
      return false;
  }
}

void read_body(PgBytes& in, PgMessage& out) {
  switch (out.kind) {
    case PgMessageKind::begin:
      out.commit_lsn = lsn(in);
      out.commit_time = in.time();
      out.xid = in.uint32();
      return;
    case PgMessageKind::stream_commit:
      out.xid = in.uint32();
      [[fallthrough]];
    case PgMessageKind::commit:
      in.byte();  // flags, none yet
      out.commit_lsn = lsn(in);
      out.end_lsn = lsn(in);
      out.commit_time = in.time();
      return;
    case PgMessageKind::origin:
      lsn(in);
      in.text();
      return;
    case PgMessageKind::relation:
      return read_relation(in, out.relation);
    case PgMessageKind::type:
      in.uint32();
      in.text();
      in.text();
      return;
    case PgMessageKind::insert:
    case PgMessageKind::update:
    case PgMessageKind::remove:
      return read_old_and_new(in, out);
    case PgMessageKind::truncate:
      return read_truncate(in, out);
    case PgMessageKind::logical:
      in.byte();  // whether it belongs to a transaction
      lsn(in);
      out.prefix = in.text();
      out.content = in.counted();
      return;
    case PgMessageKind::stream_start:
      out.xid = in.uint32();
      in.byte();  // whether it is the first chunk
      return;
    case PgMessageKind::stream_stop:
      return;
    case PgMessageKind::stream_abort:
      out.xid = in.uint32();
      out.sub_xid = in.uint32();
      return;
  }
  in.fail();
}

}  // namespace

Result<void> parse_pgoutput(std::string_view bytes, PgStreaming streaming, PgMessage& out) {
  PgBytes in(bytes);
  out.kind = static_cast<PgMessageKind>(in.byte());
  out.xid = 0;
  if (in.good() && streaming == PgStreaming::yes && carries_xid(out.kind)) out.xid = in.uint32();
  if (in.good()) read_body(in, out);
  if (in.good() && in.at_end()) return {};
  const auto type = static_cast<unsigned char>(bytes.empty() ? 0 : bytes[0]);
  return Error{Recourse::halt, "replication_protocol",
               "a replication message of type " + std::to_string(type) + " and " + std::to_string(bytes.size()) +
                   " bytes is not written as pgoutput writes it (byte " + std::to_string(in.offset()) +
                   "); is the slot's plugin pgoutput, and the server's protocol 1 or 2?"};
}

}  // namespace ff
