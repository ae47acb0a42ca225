package dev.troupe.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigurationTest {
  @ParameterizedTest
  @EnumSource(Configuration.Role.class)
  void everyRoleLoadsWithOneThreadACore(Configuration.Role role) {
    Configuration loaded = Configuration.load(role);

    assertThat(loaded.threads()).isEqualTo(Runtime.getRuntime().availableProcessors());
    assertThat(loaded.config().hasPath("troupe.dispatcher.type")).isTrue();
  }

  @Test
  void aGivenValueComesBeforeTheFiles() {
    var first = ConfigFactory.parseString("troupe.dispatcher.threads = 3");

    assertThat(Configuration.load(Configuration.Role.LOCAL, first).threads()).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 4097})
  void threadsOutOfRangeAreRefusedWithPathAndValue(int threads) {
    var first = ConfigFactory.parseString("troupe.dispatcher.threads = " + threads);

    assertThatThrownBy(() -> Configuration.load(Configuration.Role.LOCAL, first))
        .isInstanceOf(ConfigException.BadValue.class)
        .hasMessageContaining("troupe.dispatcher.threads")
        .hasMessageContaining(Integer.toString(threads));
  }
}
