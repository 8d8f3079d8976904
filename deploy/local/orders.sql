-- The order system's database, as FleetFlow meets it: tables of somebody else's, written in place.
-- Run again, it changes nothing.

create table if not exists orders (
  order_ref            text primary key,
  shipment_id          text not null,  -- not unique: two orders with one number do happen, and are found (docs/semantics.md S3.7)
  customer_id          text,
  carrier_id           text,
  service_level        text,
  origin_hub           text,
  destination_hub      text,
  created_at           timestamptz not null,
  promised_pickup_by   timestamptz,    -- null: the service level promises it
  promised_delivery_by timestamptz
);
create index if not exists orders_shipment on orders (shipment_id);
-- Of a deleted row the log tells what its replica identity holds. Whose order it was decides which claim on the number ends: the whole row.
alter table orders replica identity full;

create table if not exists drivers (
  driver_id      text primary key,     -- and replica identity: a deleted driver is known by it alone
  home_hub       text,
  name           text,                 -- from here on: personal data that must not pass FleetFlow's door (S7.1)
  phone          text,
  email          text,
  licence_number text,
  home_address   text,
  date_of_birth  text
);

-- One row is one dispatch command; a correction updates it. It is never turned into another command.
create table if not exists driver_assignments (
  assignment_id text primary key,
  shipment_id   text not null,
  driver_id     text,                  -- null: nobody
  action        text not null,
  effective_at  timestamptz not null
);
create unique index if not exists driver_assignments_identity on driver_assignments (assignment_id, shipment_id);
-- The command and its shipment: enough to know what is withdrawn, and a small log.
alter table driver_assignments replica identity using index driver_assignments_identity;

do $$
begin
  if not exists (select from pg_publication where pubname = 'fleetflow') then
    create publication fleetflow for table orders, drivers, driver_assignments;
  end if;
end $$;
