-- Duty contains the holding; nobody is offline for longer than assigned; activity lies in order.
select * from {{ ref('driver_utilization') }}
where on_duty_s < assigned_s or offline_s > assigned_s or first_activity > last_activity
  or least(assigned_s, driving_s, idle_s, offline_s, distance_cm, on_duty_s) < 0
