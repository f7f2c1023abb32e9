CREATE EXTENSION IF NOT EXISTS plpython3u;
CREATE OR REPLACE FUNCTION work(folder text) RETURNS int LANGUAGE plpython3u AS $$
import sys
sys.path.insert(0, folder)
import workload
SD['plan'] = plpy.prepare('SELECT $1::int + 1', ['int'])
GD['rows'] = [plpy.execute(SD['plan'], [n]) for n in range(20)]
GD['cursor'] = plpy.cursor('SELECT generate_series(1, 10) AS n')
GD['fetched'] = GD['cursor'].fetch(5)
GD['cursor'].close()
try:
    plpy.execute('SELECT 1 / 0')
except plpy.SPIError as error:
    GD['error'] = error
return len(workload.keep)
$$;
CREATE OR REPLACE FUNCTION numbers(n int) RETURNS SETOF int LANGUAGE plpython3u AS $$
for i in range(n):
    yield i
$$;
SELECT work(:'folder'), (SELECT sum(numbers) FROM numbers(50));
