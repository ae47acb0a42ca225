# Of ./vmctl and ./vmd, which read it with . (dot): finds a JDK, builds what is not built yet, starts java. Before that they set
# $program, the name that complaints begin with, and $top, the folder of this tree.
#
#   TROUPE_JAVA_HOME  the JDK to use, 25 or later
#   TROUPE_JAVA_OPTS  more options for its java
#
# What it keeps is in .troupe/: build.log, one folder a build, and the name of the current one.

state=$top/.troupe

fail() {
  echo "$program: $1" >&2
  exit 8
}

# --- The JDK -----------------------------------------------------------------------------------------------------------

oldest=25

# Whether $1 is a JDK of that version or a later one; the release file says so without starting it.
suitable() {
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
  version=$(sed -n 's/^JAVA_VERSION="\{0,1\}\([0-9]*\).*/\1/p' "$1/release")
  [ -n "$version" ] && [ "$version" -ge "$oldest" ]
}

find_jdk() {
  for home in "${TROUPE_JAVA_HOME:-}" "${JAVA25_HOME:-}" "${JAVA_HOME:-}" \
    /usr/lib/jvm/* "${HOME:-}"/.jdks/* "${SDKMAN_DIR:-${HOME:-}/.sdkman}"/candidates/java/*; do
    if [ -n "$home" ] && suitable "$home"; then
      jdk=$home
      return 0
    fi
  done
  java=$(command -v java) || return 1
  java=$(readlink -f "$java") || return 1
  jdk=$(dirname "$(dirname "$java")")
  suitable "$jdk"
}

if [ -n "${TROUPE_JAVA_HOME:-}" ] && ! suitable "$TROUPE_JAVA_HOME"; then
  fail "TROUPE_JAVA_HOME=$TROUPE_JAVA_HOME is no JDK $oldest or later"
fi
find_jdk || fail "no JDK $oldest or later in TROUPE_JAVA_HOME, JAVA25_HOME, JAVA_HOME, /usr/lib/jvm, ~/.jdks, sdkman or PATH; get one from https://adoptium.net or, on Debian 13, by 'sudo apt-get install openjdk-25-jdk-headless'"

# --- The build ---------------------------------------------------------------------------------------------------------

# Sets $build to the folder of the current build if nothing that it was made from has changed since it began. A folder is newer
# when a file in it was added or removed.
current() {
  [ -r "$state/current" ] || return 1
  build=$state/$(cat "$state/current")
  [ -f "$build/stamp" ] || return 1
  newer=$(cd "$top" && find pom.xml ./*/pom.xml ./*/src/main vmctl vmd build/jvm.options build/client.options \
    build/launcher.sh build/ModernJar.java -newer "$build/stamp" -print -quit) || return 1
  [ -z "$newer" ]
}

# Where the cache of loaded classes of build $1 is, one for each JDK and each program $2 (JEP 483, 514): it halves the time to a
# guest's first instruction, and to a command's answer.
cache_of() {
  echo "$1/$2-$(cksum <"$jdk/release" | tr ' ' -).aot"
}

# Makes the cache of build $1 for program $2 with the options in file $3, by a run of all the rest; without it all goes on, only
# slower.
rehearse() {
  cache=$(cache_of "$1" "$2")
  options=$3
  lib=$1/lib
  shift 3
  "$jdk/bin/java" "@$options" "-XX:AOTCacheOutput=$cache" -cp "$lib/*" "$@" >>"$state/build.log" 2>&1 </dev/null || :
}

# Makes all caches, at once: the smallest guest there is, a daemon that only looks at its configuration, and some commands to the
# daemon of nothing that Rehearsal starts.
train() {
  # Multiboot header with addresses (flags bit 16), then: mov al, 0; out 0xf4, al; hlt.
  printf '\002\260\255\033\000\000\001\000\376\117\121\344\000\000\020\000\000\000\020\000' >"$1/training"
  printf '\045\000\020\000\045\000\020\000\040\000\020\000\260\000\346\364\364' >>"$1/training"
  rehearse "$1" vmctl "$top/build/jvm.options" dev.troupe.actors.vmctl.Vmctl run --memory 2M --timeout 60s --kernel "$1/training" &
  rehearse "$1" client "$top/build/client.options" dev.troupe.actors.vmd.Rehearsal &
  rehearse "$1" vmd "$top/build/jvm.options" dev.troupe.actors.vmd.Vmd -n &
  wait
}

with_maven() {
  command -v mvn >/dev/null 2>&1 || fail "Maven is needed to build Troupe: sudo apt-get install maven"
  echo "$program: building Troupe (the first time Maven fetches its libraries); its output is in .troupe/build.log" >&2
  next=build-$(date +%s)-$$
  mkdir "$state/$next"
  : >"$state/$next/stamp"
  # Maven runs on the Java it finds; its toolchain for compiling is the JDK found here.
  maven_java=${JAVA_HOME:-}
  if [ -z "$maven_java" ] && ! command -v java >/dev/null 2>&1; then
    maven_java=$jdk
  fi
  if ! (
    cd "$top"
    JAVA25_HOME=$jdk
    export JAVA25_HOME
    if [ -n "$maven_java" ]; then
      JAVA_HOME=$maven_java
      export JAVA_HOME
    fi
    exec mvn -q -B -Dmaven.test.skip=true -DskipITs -DskipChecks -pl actors -am package
  ) >"$state/build.log" 2>&1 </dev/null; then
    rm -rf "$state/$next"
    tail -n 15 "$state/build.log" >&2
    fail "the build failed; all of Maven's output: $state/build.log"
  fi
  # A copy, because the next build writes over Maven's while a guest may be running from this one.
  mkdir "$state/$next/lib"
  cp "$top"/actors/target/lib/*.jar "$top"/actors/target/actors-*.jar "$state/$next/lib/"
  # Without it all goes on, only slower.
  "$jdk/bin/java" "$top/build/ModernJar.java" "$state/$next"/lib/picocli-*.jar >>"$state/build.log" 2>&1 </dev/null || :
  train "$state/$next"
  printf '%s\n' "$next" >"$state/current.$$"
  mv "$state/current.$$" "$state/current"
  for old in "$state"/build-*; do
    # The one before stays for the guests that run from it.
    case $old in
      "$state/$next" | "${build:-}" | "$state/build.log") ;;
      *) rm -rf "$old" ;;
    esac
  done
  build=$state/$next
}

if ! current; then
  mkdir -p "$state" 2>/dev/null && [ -w "$state" ] || fail "Troupe is not built yet, and $top is not writable"
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$state/lock"
    if ! flock -n 9; then
      echo "$program: waiting for another one that is building" >&2
      flock 9
    fi
    current || with_maven
    exec 9>&-
  else
    # Elsewhere a folder is the lock; that of a dead process is taken over.
    while ! mkdir "$state/lock.d" 2>/dev/null; do
      owner=$(cat "$state/lock.d/pid" 2>/dev/null || echo)
      if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
        rm -rf "$state/lock.d"
      else
        sleep 1
      fi
    done
    trap 'rm -rf "$state/lock.d"' EXIT INT TERM HUP
    echo $$ >"$state/lock.d/pid"
    current || with_maven
    rm -rf "$state/lock.d"
    trap - EXIT INT TERM HUP
  fi
fi

# --- The start ---------------------------------------------------------------------------------------------------------

# Starts program $1 with the options in file $2, and all the rest: main class and arguments. In place of this shell, so that signals
# and the terminal are java's.
launch() {
  cache=$(cache_of "$build" "$1")
  options=$2
  shift 2
  set -- ${TROUPE_JAVA_OPTS:-} -cp "$build/lib/*" "$@"
  if [ -r "$cache" ]; then
    # Its complaints (the user's options may not suit it) would stand in the guest's console.
    set -- "-XX:AOTCache=$cache" -Xlog:aot=off -Xlog:cds=off "$@"
  fi
  # A boot makes 130 MB of translations and instructions that last: their pages come faster so. Java complains where the host has
  # none to give.
  case $options in
    */jvm.options)
      grep -q '\[always\]\|\[madvise\]' /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null &&
        set -- -XX:+UseTransparentHugePages "$@"
      ;;
  esac
  exec "$jdk/bin/java" "@$options" "$@"
}
