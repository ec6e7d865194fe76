-- What wrk sends for serve_load.py: the lines of a file, each a body of JSON, one after the other and from the beginning again.
-- Answers are counted by wrk itself, those of a status above 399 as errors; looking at them here would cost the generator more.

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

local requests, last = {}, 0

function init(arguments)
  for body in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format(nil, nil, nil, body)
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "failed": %d, "refused": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status
  ))
end
