/*
 * SkipListBench.java: Java's ConcurrentSkipListMap with the workloads and key streams of the C driver.
 *
 *     java -cp FOLDER SkipListBench --threads T --keys N --operations N --seed S --workloads A,B,…
 *     java -cp FOLDER SkipListBench --check --seed S
 *
 * It prints the C driver's line of JSON, and ends as it does: 0, 1 (a wrong answer), 2 (could not run).
 * The loops run on a small map first, until the compiler has seen them. Threads are not pinned. Memory is
 * what the map holds of the heap after a collection.
 */
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CyclicBarrier;

public final class SkipListBench {
    private static final long VALUE_FACTOR = 0x9E6C63D0876A9A47L;
    private static final long VALUE_VERSIONS = 65536;
    private static final int SCAN_LENGTH = 100;
    private static final long SCAN_LIMIT = Long.divideUnsigned(-1L, 10) * 9;
    private static final int UNIFORM = 0, ZIPF = 1, SCAN = 2; // as stream.h numbers them

    private static int threads = 1;
    private static int keys = 1_000_000;
    private static int operations = 500_000;
    private static long seed = 1;

    private SkipListBench() {
    }

    static long splitmix64(long x) {
        x += 0x9E3779B97F4A7C15L;
        x = (x ^ (x >>> 30)) * 0xBF58476D1CE4E5B9L;
        x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
        return x ^ (x >>> 31);
    }

    static long valueOf(long key, long version) {
        return key * VALUE_FACTOR + version % VALUE_VERSIONS;
    }

    static boolean belongs(long key, Long value) {
        return value != null
            && Long.compareUnsigned(value - key * VALUE_FACTOR, VALUE_VERSIONS) < 0;
    }

    /** Keys are unsigned, Long is not: the map's keys are these, in the same order. */
    static long ordered(long key) {
        return key ^ Long.MIN_VALUE;
    }

    private static final class Rng {
        private long state;

        Rng(int thread, int how) {
            state = splitmix64(seed ^ ((long) thread << 32 | (long) how << 40));
        }

        long next() {
            return splitmix64(state++);
        }

        long below(long n) {
            long x = next();
            long high = Math.multiplyHigh(x, n); // signed
            return x < 0 ? high + n : high;
        }
    }

    /** Ranks below n with probability proportional to 1 / (rank+1)^0.99 (Gray et al., 1994). */
    private static final class Zipf {
        private static final double THETA = 0.99;
        private final long n;
        private final double zeta, second, eta;

        Zipf(long n) {
            this.n = n;
            double sum = 0;
            for (long i = 1; i <= n; i++) {
                sum += Math.pow(i, -THETA);
            }
            zeta = sum;
            second = 1 + Math.pow(0.5, THETA);
            eta = (1 - Math.pow(2.0 / n, 1 - THETA)) / (1 - second / zeta);
        }

        long next(Rng rng) {
            double u = (rng.next() >>> 11) * 0x1p-53;
            if (u * zeta < 1) {
                return 0;
            }
            if (u * zeta < second) {
                return 1;
            }
            long rank = (long) (n * Math.pow(eta * u - eta + 1, 1 / (1 - THETA)));
            return Math.min(rank, n - 1);
        }
    }

    /** What a thread does with its keys from one index to another; gives the number of wrong answers. */
    private interface Loop {
        long run(ConcurrentNavigableMap<Long, Long> map, long[] keys, long[] fresh, int from, int to);
    }

    private static boolean get(ConcurrentNavigableMap<Long, Long> map, long key) {
        return belongs(key, map.get(ordered(key)));
    }

    private static boolean update(ConcurrentNavigableMap<Long, Long> map, long key, long version) {
        return map.replace(ordered(key), valueOf(key, version)) != null;
    }

    private static boolean insert(ConcurrentNavigableMap<Long, Long> map, long key) {
        return map.putIfAbsent(ordered(key), valueOf(key, 0)) == null;
    }

    private static boolean scan(ConcurrentNavigableMap<Long, Long> map, long key, long n) {
        long count = 0;
        long sum = 0;
        boolean good = true;
        for (Long value : map.tailMap(ordered(key)).values()) {
            good = good && (count > 0 || belongs(key, value));
            sum += value;
            if (++count == n) {
                break;
            }
        }
        return good && count == n && sum != 1; // the sum must be asked for, or nothing is read
    }

    private static Loop loopOf(String workload) {
        return (map, keys, fresh, from, to) -> {
            long wrong = 0;
            switch (workload) {
                case "load_random", "load_ascending" -> {
                    for (int i = from; i < to; i++) {
                        wrong += insert(map, keys[i]) ? 0 : 1;
                    }
                }
                case "get_uniform", "get_zipf" -> {
                    for (int i = from; i < to; i++) {
                        wrong += get(map, keys[i]) ? 0 : 1;
                    }
                }
                case "scan" -> {
                    for (int i = from; i < to; i++) {
                        wrong += scan(map, keys[i], SCAN_LENGTH) ? 0 : 1;
                    }
                }
                case "scan_short" -> {
                    for (int i = from; i < to; i++) {
                        long n = 1 + Long.remainderUnsigned(splitmix64(~(long) i), SCAN_LENGTH);
                        wrong += scan(map, keys[i], n) ? 0 : 1;
                    }
                }
                case "read_update" -> {
                    for (int i = from; i < to; i++) {
                        boolean read = (splitmix64(i) & 1) != 0;
                        wrong += (read ? get(map, keys[i]) : update(map, keys[i], i)) ? 0 : 1;
                    }
                }
                case "insert_read" -> {
                    for (int i = from; i < to; i++) {
                        boolean read = (splitmix64(i) & 1) != 0;
                        wrong += (read ? get(map, keys[i]) : insert(map, fresh[i])) ? 0 : 1;
                    }
                }
                case "remove" -> {
                    for (int i = from; i < to; i++) {
                        wrong += map.remove(ordered(keys[i])) != null ? 0 : 1;
                    }
                }
                default -> throw new IllegalArgumentException(workload);
            }
            return wrong;
        };
    }

    static final List<String> WORKLOADS = List.of("load_random", "load_ascending", "get_uniform",
        "get_zipf", "scan", "scan_short", "read_update", "insert_read", "remove");

    private static boolean isLoad(String workload) {
        return workload.startsWith("load");
    }

    private static long stride(long n) {
        long stride = (long) (n * 0.6180339887498949) | 1;
        while (gcd(stride, n) != 1) {
            stride += 2;
        }
        return stride;
    }

    private static long gcd(long a, long b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    private static long[] stream(String workload, int thread, int n, Zipf zipf) {
        long[] stream = new long[n];
        int how = switch (workload) {
            case "get_zipf", "read_update" -> ZIPF;
            case "scan", "scan_short" -> SCAN;
            default -> UNIFORM;
        };
        Rng rng = new Rng(thread, how);
        long stride = stride(keys);
        for (int i = 0; i < n; i++) {
            long at = thread + (long) i * threads;
            switch (workload) {
                case "load_random" -> stream[i] = splitmix64(at);
                case "load_ascending" -> stream[i] = at;
                case "remove" -> stream[i] = splitmix64(at * stride % keys);
                case "get_zipf", "read_update" -> stream[i] = splitmix64(
                    Long.remainderUnsigned(splitmix64(zipf.next(rng) + seed), keys));
                default -> {
                    do {
                        stream[i] = splitmix64(rng.below(keys));
                    } while (how == SCAN && Long.compareUnsigned(stream[i], SCAN_LIMIT) > 0);
                }
            }
        }
        return stream;
    }

    private static long[] fresh(int thread, int n) {
        long[] fresh = new long[n];
        for (int i = 0; i < n; i++) {
            fresh[i] = splitmix64((1L << 40) + thread + (long) i * threads);
        }
        return fresh;
    }

    /** Runs the loop in all threads from one index to another: seconds from first start to last end. */
    private static double timed(Loop loop, ConcurrentNavigableMap<Long, Long> map, long[][] streams,
                                long[][] fresh, int from, int to, long[] wrong) throws Exception {
        long[] starts = new long[threads];
        long[] ends = new long[threads];
        long[] errors = new long[threads];
        CyclicBarrier gate = new CyclicBarrier(threads);
        List<Thread> crew = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int self = t;
            crew.add(new Thread(() -> {
                try {
                    gate.await();
                } catch (Exception broken) {
                    throw new IllegalStateException(broken);
                }
                starts[self] = System.nanoTime();
                errors[self] = loop.run(map, streams[self], fresh[self], from, to);
                ends[self] = System.nanoTime();
            }));
        }
        for (Thread thread : crew) {
            thread.start();
        }
        for (Thread thread : crew) {
            thread.join();
        }
        long first = starts[0];
        long last = ends[0];
        for (int t = 0; t < threads; t++) {
            first = Math.min(first, starts[t]);
            last = Math.max(last, ends[t]);
            wrong[0] += errors[t];
        }
        return (last - first) * 1e-9;
    }

    private static long heap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    /** Runs the workloads and gives their JSON, or null after a wrong answer. */
    private static String measure(List<String> asked) throws Exception {
        Zipf zipf = new Zipf(keys);
        ConcurrentSkipListMap<Long, Long> map = new ConcurrentSkipListMap<>();
        List<String> results = new ArrayList<>();
        for (String workload : WORKLOADS) {
            if (!asked.contains(workload)) {
                continue;
            }
            int each = (isLoad(workload) ? keys
                : operations / (workload.startsWith("scan") ? 10 : 1)) / threads;
            int warm = isLoad(workload) ? 0 : each / 10;
            long[][] streams = new long[threads][];
            long[][] fresh = new long[threads][];
            for (int t = 0; t < threads; t++) {
                streams[t] = stream(workload, t, warm + each, zipf);
                fresh[t] = workload.equals("insert_read") ? fresh(t, warm + each) : null;
            }
            long[] wrong = new long[1];
            Loop loop = loopOf(workload);
            long before = isLoad(workload) ? heap() : 0;
            timed(loop, map, streams, fresh, 0, warm, wrong);
            double seconds = timed(loop, map, streams, fresh, warm, warm + each, wrong);
            String own = isLoad(workload) ? ",\"own_bytes\":" + (heap() - before) : "";
            results.add(String.format("{\"workload\":\"%s\",\"operations\":%d,\"seconds\":%.9f,"
                + "\"processor_seconds\":null,\"errors\":%d%s}", workload, (long) each * threads,
                seconds, wrong[0], own));
            if (wrong[0] != 0) {
                System.err.printf("java_skiplist gave %d wrong answers in %s (%d threads, seed %d)%n",
                    wrong[0], workload, threads, seed);
                return null;
            }
        }
        return String.join(",", results);
    }

    /** A seeded mix beside a TreeMap; false after a wrong answer, which has been printed. */
    private static boolean check() {
        ConcurrentSkipListMap<Long, Long> map = new ConcurrentSkipListMap<>();
        TreeMap<Long, Long> model = new TreeMap<>();
        Rng rng = new Rng(0, 99);
        for (int step = 0; step < 300_000; step++) {
            long key = splitmix64(rng.below(4096));
            Long at = ordered(key);
            Long value = rng.next();
            Object got;
            Object expected;
            switch ((int) rng.below(5)) {
                case 0 -> {
                    got = map.putIfAbsent(at, value);
                    expected = model.putIfAbsent(at, value);
                }
                case 1 -> {
                    got = map.replace(at, value);
                    expected = model.replace(at, value);
                }
                case 2 -> {
                    got = map.remove(at);
                    expected = model.remove(at);
                }
                case 3 -> {
                    got = first(map.tailMap(at));
                    expected = first(model.tailMap(at));
                }
                default -> {
                    got = map.get(at);
                    expected = model.get(at);
                }
            }
            if (got == null ? expected != null : !got.equals(expected)) {
                System.err.printf("java_skiplist gives a wrong answer: %s, expected %s (key %s, "
                    + "step %d, seed %d)%n", got, expected, Long.toUnsignedString(key), step, seed);
                return false;
            }
        }
        return map.equals(model);
    }

    private static List<Long> first(Map<Long, Long> tail) {
        return tail.values().stream().limit(SCAN_LENGTH).toList();
    }

    public static void main(String[] arguments) throws Exception {
        List<String> asked = WORKLOADS;
        boolean check = false;
        for (int i = 0; i < arguments.length; i++) {
            String option = arguments[i];
            if (option.equals("--check")) {
                check = true;
                continue;
            }
            String text = ++i < arguments.length ? arguments[i] : "";
            switch (option) {
                case "--threads" -> threads = Integer.parseInt(text);
                case "--keys" -> keys = Integer.parseInt(text);
                case "--operations" -> operations = Integer.parseInt(text);
                case "--seed" -> seed = Long.parseLong(text);
                case "--workloads" -> asked = List.of(text.split(","));
                default -> {
                    System.err.println("there is no option " + option + ": see SkipListBench.java");
                    System.exit(2);
                }
            }
        }
        if (!check()) {
            System.exit(1);
        }
        if (check) {
            return;
        }
        int wanted = keys, many = operations;
        keys = 20_000;
        operations = 10_000;
        for (int turn = 0; turn < 10; turn++) { // until the compiler has seen the loops
            measure(asked);
        }
        keys = wanted - wanted % threads;
        operations = many;
        String results = measure(asked);
        if (results == null) {
            System.exit(1);
        }
        System.out.printf("{\"adapter\":\"java_skiplist\",\"threads\":%d,\"keys\":%d,\"seed\":%d,"
            + "\"results\":[%s]}%n", threads, keys, seed, results);
    }
}
