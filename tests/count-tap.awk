# count-tap.awk: one suite's TAP in, one line out: "suite NAME PASSED FAILED SKIPPED SECONDS", then a
# "why" line for each thing that makes the suite fail. Exit status 1 when there is one.
BEGIN {
	while ((getline line < allowed) > 0) {
		if (line ~ /^#/ || line !~ /[^ ]/)
			continue
		split(line, field, " ")
		skip_suite[++rules] = field[1]
		sub(/^[^ ]+ +/, "", line)
		sub(/ +# .*$/, "", line)
		skip_text[rules] = line
	}
	planned = -1
}
function expected(text,    i) {
	for (i = 1; i <= rules; i++)
		if (name == skip_suite[i] && index(text, skip_text[i]) > 0)
			return 1
	return 0
}
function because(text) {
	why[++reasons] = text
}
/^1\.\.[0-9]+/ {
	planned = substr($1, 4) + 0
	if (planned == 0 && toupper($0) ~ /# SKIP/) {
		skipped++
		planned = 1
		if (!expected($0))
			because("unexpected skip: " $0)
	}
	next
}
/^not ok/ {
	if (toupper($0) ~ /# TODO/) {
		skipped++
		because("a TODO row: " $0)
	} else {
		failed++
		because($0)
	}
	next
}
/^ok/ {
	if (toupper($0) ~ /# SKIP/) {
		skipped++
		if (!expected($0))
			because("unexpected skip: " $0)
	} else
		passed++
	next
}
/^Bail out!/ {
	because($0)
}
END {
	total = passed + failed + skipped
	if (total == 0)
		because("no test ran")
	else if (planned < 0)
		because("no plan: the end of the suite was not reached")
	else if (planned > total || (planned < total && failed == 0))
		because("planned " planned " rows, saw " total)
	if (status == 124 || status == 137)
		because("stopped at its time limit")
	else if (status != 0 && failed == 0)
		because("ended with status " status)
	if (reasons > 0 && failed == 0)
		failed = unexpected_only() ? 0 : 1
	printf "suite %s %d %d %d %s\n", name, passed, failed, skipped, seconds
	for (i = 1; i <= reasons; i++)
		printf "why %s %s\n", name, why[i]
	exit reasons > 0
}
# Skips make the run fail, but they are not failures of a row.
function unexpected_only(    i) {
	for (i = 1; i <= reasons; i++)
		if (why[i] !~ /^(unexpected skip|a TODO row)/)
			return 0
	return 1
}
