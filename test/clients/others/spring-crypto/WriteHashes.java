import java.util.ArrayList;
import java.util.List;
import org.springframework.security.crypto.argon2.Argon2PasswordEncoder;
import org.springframework.security.crypto.bcrypt.BCryptPasswordEncoder;
import org.springframework.security.crypto.factory.PasswordEncoderFactories;
import org.springframework.security.crypto.password.Pbkdf2PasswordEncoder;
import org.springframework.security.crypto.scrypt.SCryptPasswordEncoder;

/** Password hashes as Spring Security writes them: [{ by, password, hash }] as JSON. */
class WriteHashes {
  static final String PASSWORD = "Größe-Lantern-42 ";
  static final List<String> WRITTEN = new ArrayList<>();

  static void write(String by, String hash) {
    WRITTEN.add("{\"by\":\"Spring %s\",\"password\":\"%s\",\"hash\":\"%s\"}".formatted(by, PASSWORD, hash));
  }

  public static void main(String[] arguments) {
    write("delegating", PasswordEncoderFactories.createDelegatingPasswordEncoder().encode(PASSWORD));
    write("bcrypt", new BCryptPasswordEncoder(5).encode(PASSWORD));
    write("argon2", Argon2PasswordEncoder.defaultsForSpringSecurity_v5_8().encode(PASSWORD));
    write("argon2 named", "{argon2@SpringSecurity_v5_8}" + Argon2PasswordEncoder.defaultsForSpringSecurity_v5_8().encode(PASSWORD));
    write("scrypt", SCryptPasswordEncoder.defaultsForSpringSecurity_v4_1().encode(PASSWORD));
    write("scrypt named", "{scrypt@SpringSecurity_v5_8}" + SCryptPasswordEncoder.defaultsForSpringSecurity_v5_8().encode(PASSWORD));
    write("pbkdf2 named", "{pbkdf2@SpringSecurity_v5_8}" + Pbkdf2PasswordEncoder.defaultsForSpringSecurity_v5_8().encode(PASSWORD));
    System.out.println("[" + String.join(",\n", WRITTEN) + "]");
  }
}
