select contract, first_at from {{ ref('feed_activity') }} group by contract, first_at having count(*) > 1
