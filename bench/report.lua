-- With the word each_new, each request has an address of its own, by a parameter that nobody reads: no answer is ready.
function init(words)
  if words[1] ~= "each_new" then return end
  local number = 0
  function request()
    number = number + 1
    return wrk.format(nil, wrk.path .. "&number=" .. number)
  end
end

-- What wrk found, in a form that is the same in each of its versions. Times in milliseconds.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("bench requests %d\n", summary.requests))
  io.write(string.format("bench seconds %.6f\n", summary.duration / 1e6))
  io.write(string.format("bench median %.3f\n", latency:percentile(50) / 1e3))
  io.write(string.format("bench p95 %.3f\n", latency:percentile(95) / 1e3))
  io.write(string.format("bench failed %d\n", errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
