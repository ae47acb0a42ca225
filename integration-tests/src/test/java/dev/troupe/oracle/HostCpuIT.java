package dev.troupe.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The harness itself: that it runs what it is given, in each code size, and sees the faults. */
final class HostCpuIT {
  private static CpuImage code(long address, int... bytes) {
    var image = new CpuImage();
    byte[] window = new byte[CpuImage.WINDOW];
    Arrays.fill(window, (byte) 0xCC);
    for (int i = 0; i < bytes.length; i++) {
      window[i] = (byte) bytes[i];
    }
    image.windows.add(new CpuImage.Window(address, window));
    image.rip = address;
    image.gpr[4] = ChildProgram.STACK + 0x1000;
    return image;
  }

  @Test
  void anAdditionRunsInCodeOfEachSizeThatTheHostGives() throws Exception {
    CpuImage wide = code(ChildProgram.CODE, 0x48, 0x01, 0xD8); // add rax,rbx
    wide.gpr[0] = 0x1_0001_FFFFL;
    CpuImage flat = code(ChildProgram.CODE, 0x01, 0xD8); // add eax,ebx
    flat.gpr[0] = 0x1_0001_FFFFL;
    flat.cs = ChildProgram.CS32;
    flat.ss = flat.ds = flat.es = ChildProgram.DS32;
    CpuImage small = code(ChildProgram.REAL + 0x100, 0x01, 0xD8); // add ax,bx
    small.gpr[0] = 0x1_0001_FFFFL;
    small.rip = 0x100;
    small.cs = ChildProgram.CS16;
    small.ss = small.ds = small.es = ChildProgram.DS16;
    Map<Integer, CpuImage> cases = Map.of(64, wide, 32, flat, 16, small);
    Map<Integer, Long> sums = Map.of(64, 0x1_0002_0000L, 32, 0x2_0000L, 16, 0x1_0001_0000L);
    List<Integer> sizes = HostCpu.Limits.ofThisHost().codeSizes();
    assertThat(sizes).contains(64);
    try (var host = new HostCpu()) {
      for (int size : sizes) {
        CpuImage in = cases.get(size);
        in.gpr[3] = 1;
        CpuImage out = host.run(List.of(in)).getFirst();
        assertThat(out.vector).as("%d bits", size).isEqualTo(3);
        assertThat(out.gpr[0]).as("%d bits", size).isEqualTo(sums.get(size));
      }
    }
  }

  @Test
  void faultsComeBackWithVectorErrorCodeAndAddress() throws Exception {
    CpuImage undefined = code(ChildProgram.CODE, 0x0F, 0x0B); // ud2
    CpuImage unmapped = code(ChildProgram.CODE, 0x48, 0x8B, 0x00); // mov rax,[rax]
    unmapped.gpr[0] = ChildProgram.UNMAPPED;
    CpuImage readOnly = code(ChildProgram.CODE, 0x48, 0x89, 0x00); // mov [rax],rax
    readOnly.gpr[0] = ChildProgram.READ_ONLY;
    CpuImage division = code(ChildProgram.CODE, 0xF7, 0xF3); // div ebx
    CpuImage privileged = code(ChildProgram.CODE, 0xF4); // hlt
    try (var host = new HostCpu()) {
      List<CpuImage> out = host.run(List.of(undefined, unmapped, readOnly, division, privileged));
      assertThat(out).extracting(o -> o.vector).containsExactly(6, 14, 14, 0, 13);
      assertThat(out).extracting(o -> o.error).containsExactly(0L, 4L, 7L, 0L, 0L);
      assertThat(out.get(1).faultAddress).isEqualTo(ChildProgram.UNMAPPED);
      assertThat(out).allSatisfy(o -> assertThat(o.rip).isEqualTo(ChildProgram.CODE));
    }
  }
}
