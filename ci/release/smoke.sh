#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a release made is used as a stranger would: a project of its own resolves it from the folder, through an empty local
# repository, and generates on the class path and on the module path; both must give the same tokens.
# Usage: ci/release/smoke.sh FOLDER [MODEL]   FOLDER is where the release was deployed; MODEL a file or reference (smollm2)
set -eu
folder=$(cd "$1" && pwd)
model=${2:-smollm2}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's#.*<version>\(.*\)</version>.*#\1#p' "$folder"/dev/puna/puna/maven-metadata.xml | head -1)
mkdir -p "$work/src/main/java/smoke"
cat > "$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>smoke</groupId>
  <artifactId>smoke</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.release>25</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <repositories>
    <repository>
      <id>release</id>
      <url>file://$folder</url>
      <snapshots><enabled>true</enabled></snapshots>
    </repository>
  </repositories>
  <dependencyManagement>
    <dependencies>
      <dependency>
        <groupId>dev.puna</groupId>
        <artifactId>puna-bom</artifactId>
        <version>$version</version>
        <type>pom</type>
        <scope>import</scope>
      </dependency>
    </dependencies>
  </dependencyManagement>
  <dependencies>
    <dependency>
      <groupId>dev.puna</groupId>
      <artifactId>puna</artifactId>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <artifactId>maven-compiler-plugin</artifactId>
        <version>3.16.0</version>
      </plugin>
    </plugins>
  </build>
</project>
POM
echo "module smoke { requires dev.puna; }" > "$work/src/main/java/module-info.java"
cat > "$work/src/main/java/smoke/Smoke.java" <<'JAVA'
package smoke;

import dev.puna.Model;
import dev.puna.Sampler;
import java.util.Arrays;

public final class Smoke {
  public static void main(String... arguments) {
    try (Model model = Model.load(arguments[0])) {
      var reply = model.prompt("Once upon a time").sampler(Sampler.greedy()).maxTokens(16).reply();
      System.out.println(Arrays.toString(reply.tokens()));
    }
  }
}
JAVA
cd "$work"
mvn -q -B -Dmaven.repo.local="$work/m2" compile dependency:build-classpath -Dmdep.outputFile="$work/path"
path=target/classes:$(cat "$work/path")
java=${JAVA_HOME:?names a JDK 25}/bin/java
on_classes=$("$java" --enable-native-access=ALL-UNNAMED -cp "$path" smoke.Smoke "$model" 2> /dev/null)
on_modules=$("$java" --enable-native-access=dev.puna.bindings -p "$path" -m smoke/smoke.Smoke "$model" 2> /dev/null)
echo "class path:  $on_classes"
echo "module path: $on_modules"
[ -n "$on_classes" ] && [ "$on_classes" = "$on_modules" ]
