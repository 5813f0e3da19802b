# Draws what Tests/sweep prints as SVG: a panel for each measure on each axis, with logarithmic scales.
# Each panel names the slope of its last stretch, and so does a line on standard error: 1 is in
# proportion, 2 with the square.

function member(name,    rest) {
    if (!match($0, "\"" name "\":")) return ""
    rest = substr($0, RSTART + RLENGTH)
    if (substr(rest, 1, 1) == "\"") {
        rest = substr(rest, 2)
        return substr(rest, 1, index(rest, "\"") - 1)
    }
    return match(rest, /^[-+0-9.eE]+/) ? substr(rest, 1, RLENGTH) + 0 : ""
}

function add(title, x, y) {
    # Nothing has no place on such a scale.
    if (!(x > 0 && y > 0)) return
    if (!(title in count)) titles[++panels] = title
    count[title]++
    xs[title, count[title]] = x
    ys[title, count[title]] = y
}

/"measure":/ {
    axis = member("axis")
    at = member("at")
    if (axis == "" || at == "") {
        print FILENAME ":" FNR ": no axis: not a line of Tests/sweep" > "/dev/stderr"
        exit bad = 65
    }
    value = member("p50")
    if (value == "") value = member("value")
    senders = member("senders")
    name = member("measure") (member("workers") == 1 ? " of one" : "")
    if (senders != "") name = name (senders == 1 ? ", one sends" : ", all send")
    add(name ", " member("unit") ", by " axis, at, value)
    if (member("bytes_per_lock") != "")
        add("rss.held, bytes per lock, by " axis, at, member("bytes_per_lock"))
    if (member("server_cpu_per10k") != "")
        add(name ", CPU s per 10k, by " axis, at, member("server_cpu_per10k"))
}

function log10(number) { return log(number) / log(10) }
function floor(number) { return number >= int(number) ? int(number) : int(number) - 1 }
function text(x, y, anchor, words) {
    printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, words
}

# A panel with its left upper corner at (left, top).
function panel(title, left, top,    i, n, x0, x1, y0, y1, x, y, path, slope, digit, labelled) {
    n = count[title]
    x0 = y0 = 1e9
    x1 = y1 = -1e9
    for (i = 1; i <= n; i++) {
        x = log10(xs[title, i])
        y = log10(ys[title, i])
        if (x < x0) x0 = x
        if (x > x1) x1 = x
        if (y < y0) y0 = y
        if (y > y1) y1 = y
    }
    # Whole decades upwards; both scales are not longer than they must be.
    y0 = floor(y0)
    y1 = floor(y1 - 1e-9) + 1
    if (x1 == x0) x1 = x0 + 1
    if (y1 <= y0) y1 = y0 + 1
    for (digit = y0; digit <= y1; digit++) {
        y = top + height - margin - (digit - y0) / (y1 - y0) * (height - 2 * margin)
        printf "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>\n", left + margin, y, \
            left + width - margin
        text(left + margin - 4, y + 4, "end", sprintf("%g", 10 ^ digit))
    }
    for (i = 1; i <= n; i++) {
        x = left + margin + (log10(xs[title, i]) - x0) / (x1 - x0) * (width - 2 * margin)
        y = log10(ys[title, i]) - y0
        y = top + height - margin - y / (y1 - y0) * (height - 2 * margin)
        path = path (i == 1 ? "M" : "L") sprintf("%.1f %.1f", x, y)
        printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"><title>%g: %g</title></circle>\n", x, y, \
            xs[title, i], ys[title, i]
        if (i == 1 || x > labelled + 34) {
            text(x, top + height - margin + 14, "middle", sprintf("%g", xs[title, i]))
            labelled = x
        }
    }
    printf "<path class=\"line\" d=\"%s\"/>\n", path
    slope = "-"
    if (n > 1 && xs[title, n] != xs[title, n - 1])
        slope = sprintf("%.2f", log(ys[title, n] / ys[title, n - 1]) \
            / log(xs[title, n] / xs[title, n - 1]))
    text(left + margin, top + 16, "start", title)
    text(left + width - margin, top + height - 4, "end", "slope at the end " slope)
    print slope "\t" title > "/dev/stderr"
}

END {
    if (bad) exit bad
    columns = 3
    width = 340
    height = 220
    margin = 52
    rows = int((panels + columns - 1) / columns)
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">\n", columns * width, \
        rows * height
    print "<style>text{font:11px sans-serif}.grid{stroke:#ccc}" \
        ".line{stroke:#06c;fill:none;stroke-width:1.5}circle{fill:#06c}</style>"
    print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
    for (p = 1; p <= panels; p++)
        panel(titles[p], ((p - 1) % columns) * width, int((p - 1) / columns) * height)
    print "</svg>"
}
