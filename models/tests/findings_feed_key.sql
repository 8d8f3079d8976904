-- One row per (check_name, subject, anchor).
select check_name, subject, anchor from {{ ref('findings_feed') }} group by check_name, subject, anchor having count(*) > 1
